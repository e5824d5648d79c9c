import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readAssembly } from "../../localstack/template/assembly.ts";
import { readStack } from "../../localstack/template/read-stack.ts";
import { awsCommand } from "../support/aws-command.ts";
import { putDeadLetters } from "../support/dead-letter-rows.ts";
import { LOCAL_AWS } from "../support/local-aws.ts";
import { commandsOfKind, fillIn, ONLY_AWS, type RunbookValues, runbookCommands } from "../support/runbook.ts";
import { runScript } from "../support/run-script.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

let runtime: TestRuntime;
let folder: TemporaryFolder;
let values: RunbookValues;
beforeAll(async () => {
  runtime = await startTestRuntime();
  folder = await temporaryFolder();
  values = await prepare();
});
afterAll(async () => {
  await runtime?.remove();
  await folder?.remove();
});

/** Puts into the stack what the commands are about. */
async function prepare(): Promise<RunbookValues> {
  const { awsEndpointUrl, installationKey } = runtime.addresses;
  const { queues, functions, secrets } = readStack(await readAssembly(inject("assemblyDir")), {
    sqsEndpoint: awsEndpointUrl,
  });
  const variables = functions.find(({ logicalId }) => logicalId.startsWith("AccessFunction"))?.environment ?? {};
  const sqs = new SQSClient({ ...LOCAL_AWS, endpoint: awsEndpointUrl });
  const deadMessageOf = async (construct: string) => {
    const { arn, name } = queues.find(({ logicalId }) => logicalId.startsWith(`${construct}DeadLetters`)) ?? {};
    const url = `${awsEndpointUrl}/000000000000/${name}`;
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "{}" }));
    return { URL: url, ARN: arn ?? "" };
  };
  const [first = "", , third = ""] = await putDeadLetters(database(), ["one", "two", "three"], { tenant: "default" });
  const replay = await send("/replays", { ids: [third] });
  const key = await send("/keys", { tenant: "default", role: "reader" }, installationKey);
  const erasure = await send("/erasures", { subject: "nobody", reason: "runbook" });
  const sink = { type: "webhook", url: "http://127.0.0.1:9/" };
  const subscription = await send("/subscriptions", { name: "runbook", sink });
  const prepared = {
    everywhere: {
      TENANT: "default",
      TABLE: variables["AUDIT_TABLE"] ?? "",
      NAME: variables["ACCESS_TABLE"] ?? "",
      FILE: join(folder.path, "dead-letters.ndjson"),
      TIME: "2026-11-30T00:00:00Z",
      PID: "0",
      FILTER: '{"exact":{"type":"com.example.order"}}',
    },
    "Stolen key": { ID: key.id },
    "Dead letters": { ID: first },
    "Replay failed": { ID: replay.id },
    "Erasure failed": { ID: erasure.id },
    "Subscriptions failing": { ID: subscription.id },
    "Filters failing": { ID: subscription.id },
    "Subscriptions disabled": { ID: subscription.id },
    "Export steps": await deadMessageOf("ExportQueue"),
    "Replay steps": await deadMessageOf("ReplayQueue"),
    "Wake-ups": await deadMessageOf("Wakes"),
    "Status messages": await deadMessageOf("StatusQueue"),
    Rotation: { ARN: secrets.find(({ rotation }) => rotation !== undefined)?.arn ?? "" },
  };
  sqs.destroy();
  return prepared;
}

const database = () => ({
  ask: async (sql: string, parameters: unknown[]) => {
    const client = new Client(runtime.addresses.databaseUrl);
    await client.connect();
    try {
      return await client.query(sql, parameters);
    } finally {
      await client.end();
    }
  },
});

async function send(path: string, body: object, key = runtime.addresses.apiKey): Promise<{ id: string }> {
  const answer = await fetch(`${runtime.addresses.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { id: string };
}

const filled = (section: string, text: string): string => fillIn(values, section, text);

describe("the runbook's commands of npm", () => {
  /** Options that only the test has: where files go, and one where the runbook leaves the choice to the operator. */
  const more: Record<string, string[]> = {
    "npm run export": ["--out", "EXPORT"],
    "npm run tenants -- set TENANT": ["--unlimited"],
  };

  it.each(commandsOfKind(/^npm /))("%s: %s does what it says, on this machine", async (section, text) => {
    const [, , name = "", ...words] = filled(section, text)
      .replace(/ --outputs outputs\.json/, "")
      .split(" ");
    const own = (more[text] ?? []).map((word) => (word === "EXPORT" ? join(folder.path, "export") : word));
    const options = [...words.filter((word) => word !== "--"), ...own, "--data-dir", runtime.dataDir];

    const { code, stdout, stderr } = await runScript(name, options, { SLUICE_API_KEY: "" });

    expect(code, `${stdout}\n${stderr}`).toBe(0);
  });
});

describe("the runbook's statements of SQL", () => {
  it.each(commandsOfKind(/^select /))("%s: %s is run by the owner of the database", async (section, text) => {
    await expect(runtime.query(filled(section, text))).resolves.toBeInstanceOf(Array);
  });
});

describe("the runbook's commands of AWS", () => {
  // Those that no server of `npm start` answers are made in an emulator (test/e2e/runbook.test.ts).
  const all = commandsOfKind(/^aws /);

  it.each(all.filter(([, text]) => ONLY_AWS.test(text)))("%s: %s is a call that AWS's model has", (section, text) => {
    expect(() => awsCommand(filled(section, text))).not.toThrow();
  });

  it.each(all.filter(([, text]) => !ONLY_AWS.test(text)))(
    "%s: %s is a call that AWS's model has, and that a server on this machine answers",
    async (section, text) => {
      if (text.includes("NUMBER")) await rememberHead();
      if (text.includes("remove-from-version-id")) await rememberPending();

      expect(await answerOf(awsCommand(filled(section, text)))).toMatchObject({ $metadata: { httpStatusCode: 200 } });
    },
  );

  it("an operation or option that AWS does not have is refused", () => {
    expect(() => awsCommand("aws sqs recieve-message --queue-url URL")).toThrow(
      "AWS has no operation sqs recieve-message",
    );
    expect(() => awsCommand("aws sqs receive-message --url URL")).toThrow("sqs receive-message has no option --url");
  });

  type Answer = {
    $metadata: object;
    Items?: Record<string, { S?: string; N?: string }>[];
    VersionIdsToStages?: object;
  };

  async function answerOf({ service, command }: { service: string; command: object }): Promise<Answer> {
    const { awsEndpointUrl, dynamodbUrl, secretsManagerUrl } = runtime.addresses;
    const client: { send: (call: never) => Promise<unknown>; destroy: () => void } =
      service === "sqs"
        ? new SQSClient({ ...LOCAL_AWS, endpoint: awsEndpointUrl })
        : service === "dynamodb"
          ? new DynamoDBClient({ ...LOCAL_AWS, endpoint: dynamodbUrl })
          : new SecretsManagerClient({ ...LOCAL_AWS, endpoint: secretsManagerUrl });
    try {
      return (await client.send(command as never)) as Answer;
    } finally {
      client.destroy();
    }
  }

  /** The last entry of the audit log, by the command of the step before. */
  async function rememberHead(): Promise<void> {
    const query = runbookCommands.find(({ text }) => text.startsWith("aws dynamodb query"))?.text ?? "";
    const { Items: [last] = [] } = await answerOf(awsCommand(filled("Audit log changed", query)));
    values["Audit log changed"] = { NUMBER: last?.["number"]?.N ?? "", HASH: last?.["hash"]?.S ?? "" };
  }

  /** The version that a rotation has labelled, by the command of the step before. */
  async function rememberPending(): Promise<void> {
    const describeSecret =
      runbookCommands.find(({ text }) => text.startsWith("aws secretsmanager describe-secret"))?.text ?? "";
    const { VersionIdsToStages: versions = {} } = await answerOf(awsCommand(filled("Rotation", describeSecret)));
    const [id = ""] = Object.entries(versions).find(([, stages]) => (stages as string[]).includes("AWSPENDING")) ?? [];
    values["Rotation"] = { ...values["Rotation"], ID: id };
  }
});
