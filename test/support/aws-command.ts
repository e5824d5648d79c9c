import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as lambda from "@aws-sdk/client-lambda";
import * as secretsmanager from "@aws-sdk/client-secrets-manager";
import * as sqs from "@aws-sdk/client-sqs";

/** The SDK's packages by the names that AWS's command line has for them. */
const SERVICES: Record<string, object> = { dynamodb, lambda, secretsmanager, sqs };

/** Options of the command line itself, with the member that does the same in a single call. */
const OF_THE_COMMAND_LINE: Record<string, string> = {
  "max-items": "Limit",
  "no-scan-index-forward": "ScanIndexForward",
};

export type AwsCommand = { service: string; command: object };

/**
 * A line of AWS's command line as a call of the SDK, in which every option is a member of the operation's input.
 * @throws Error for a service, operation or option that AWS does not have
 */
export function awsCommand(line: string): AwsCommand {
  const words = (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll(/^'|'$/g, ""));
  const [, service = "", name = "", ...options] = words;
  const operation = pascal(name);
  const Command = (SERVICES[service] as Record<string, (new (input: object) => object) | undefined> | undefined)?.[
    `${operation}Command`
  ];
  if (Command === undefined) throw new Error(`AWS has no operation ${service} ${name}`);
  const members = inputMembers(new Command({}));
  const input: Record<string, unknown> = {};
  for (let i = 0; i < options.length; i += 1) {
    const option = /^--(.+)$/.exec(options[i] ?? "")?.[1];
    // A word that is no option is the file for the answer of `lambda invoke`.
    if (option === undefined) continue;
    const member = OF_THE_COMMAND_LINE[option] ?? pascal(option);
    const kind = members.get(member);
    if (kind === undefined) throw new Error(`${service} ${name} has no option --${option}`);
    const value = option.startsWith("no-") ? "false" : (options[(i += 1)] ?? "");
    input[member] = kind === TEXT || !/^(\{.*\}|\[.*\]|\d+|false)$/s.test(value) ? value : JSON.parse(value);
  }
  return { service, command: new Command(input) };
}

const pascal = (kebab: string): string =>
  kebab.replaceAll(/(?:^|-)([a-z])/g, (_, initial: string) => initial.toUpperCase());

/** The members of an operation's input with the kinds of their values, as its model has them. */
function inputMembers(command: object): Map<string, unknown> {
  const { schema } = command as { schema: unknown[] };
  const input = schema[4];
  const [, , , , names, kinds] = (typeof input === "function" ? (input as () => unknown[])() : input) as unknown[];
  return new Map((names as string[]).map((name, i) => [name, (kinds as unknown[])[i]]));
}

/** The number of a text in the SDK's schemas. */
const TEXT = 0;
