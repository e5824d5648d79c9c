import type { Stack } from "aws-cdk-lib";
import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";
import * as z from "zod";
import type { SluiceStackProps } from "./sluice-stack.ts";
import type { StageConfig } from "./stage-config.ts";

/**
 * The properties of the stack that depend on where it is deployed, by the context value `target`: `aws` (the default), or
 * `localstack`, an emulator without Aurora, whose database the context value `database` describes.
 * @throws Error that names the known targets, what `database` lacks, or the other stack that has the database
 */
export function deployTarget(
  context: (name: string) => unknown,
  stackName: string,
): Pick<SluiceStackProps, "database"> {
  const target = context("target") ?? "aws";
  switch (target) {
    case "aws":
      return {};
    case "localstack": {
      const { usedBy = stackName, ...database } = readDatabase(context("database"));
      if (usedBy !== stackName) throw new Error(inUse(usedBy, stackName));
      return { database };
    }
    default:
      throw new Error(`Unknown target ${JSON.stringify(target)}. Give one of aws, localstack with -c target=NAME.`);
  }
}

/**
 * The stage as the target has it. An emulator has none of the domains, certificates, web ACLs, policies and traces of an account, nor
 * a console for a dashboard, and evaluates no alarm. The stack's URL must lead to the emulator, never to the deployed domain.
 */
export function stageOnTarget(stage: StageConfig, target: unknown): StageConfig {
  if (target !== "localstack") return stage;
  const kept = Object.entries(stage).filter(([name]) => !NOT_ON_EMULATORS.has(name));
  return { ...(Object.fromEntries(kept) as StageConfig), dashboard: false, objectives: false };
}

/** Takes the alarms on metric math out of a stack for an emulator: MiniStack 1.4.21 fails to make one, and no emulator evaluates it. */
export function leaveOutOnTarget(stack: Stack, target: unknown): void {
  if (target !== "localstack") return;
  for (const each of stack.node.findAll()) {
    if (each instanceof CfnAlarm && each.metrics !== undefined) each.node.scope?.node.tryRemoveChild(each.node.id);
  }
}

const NOT_ON_EMULATORS: ReadonlySet<string> = new Set([
  "domain",
  "tlsPolicy",
  "mtls",
  "webAclArn",
  "ipAllowList",
  "permissionsBoundaryArn",
  "existingVpc",
  "xrayPercent",
] satisfies (keyof StageConfig)[]);

/** The context value `database`, which is JSON text because it comes from the command line. */
const databaseOfTarget = z.object({
  clusterArn: z.string().startsWith("arn:"),
  secretArn: z.string().startsWith("arn:"),
  databaseName: z.string().min(1),
  endpoint: z.url(),
  /** The stack that stores its events there. Two stacks in one database would answer each other's events. */
  usedBy: z.string().optional(),
});

const inUse = (usedBy: string, stackName: string): string =>
  `The database of this emulator has the events of ${usedBy}, so ${stackName} cannot use it. Give ${stackName} an emulator and a database of its own: npm run localstack -- up --data-dir .localstack-2 --port 0, then deploy with the same --data-dir. Or end this one: npm run localstack -- down.`;

function readDatabase(value: unknown) {
  const parsed = z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: "is not JSON" });
        return z.NEVER;
      }
    })
    .pipe(databaseOfTarget)
    .safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(
    `The target localstack needs -c database='{"clusterArn","secretArn","databaseName","endpoint"}', which \`npm run localstack -- deploy\` gives. ${z.prettifyError(parsed.error)}`,
  );
}
