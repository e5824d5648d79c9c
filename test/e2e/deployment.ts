import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RDSDataClientConfig } from "@aws-sdk/client-rds-data";
import * as z from "zod";
import { findStackAddress, type StackAddress, type StackOptions } from "../../scripts/stack-address.ts";

/** The target of the tests of this folder: a stack that is deployed, or one that they start themselves. */
export type Deployment = StackAddress & {
  /** The options that lead a command of scripts/ to it. */
  flags: string[];
  /** An admin's of the tenant `default`. */
  apiKey: string;
  installationKey: string;
  database: { resourceArn: string; secretArn: string; database: string; client: RDSDataClientConfig };
};

/** The stack that SLUICE_E2E names (test/e2e/run.ts sets it), as the options of a command. */
export function deployedTarget(): StackOptions | undefined {
  const text = process.env["SLUICE_E2E"];
  return text === undefined ? undefined : (JSON.parse(text) as StackOptions);
}

/** Whether webhooks of the stack reach a receiver on this machine: those of AWS never do. */
export async function reachesThisMachine(options: StackOptions | undefined): Promise<boolean> {
  if (options === undefined) return true;
  if (options.outputs !== undefined) return false;
  return runtimeFile.parse(await readJson(join(options.dataDir, "runtime.json"))).allowsHttpSinks;
}

const names = { ClusterArn: z.string(), SecretArn: z.string(), DatabaseName: z.string() };
const runtimeFile = z.object({
  clusterArn: z.string(),
  secretArn: z.string(),
  databaseName: z.string(),
  dataApiUrl: z.url(),
  allowsHttpSinks: z.boolean().default(false),
});
const keysOfRuntime = z.object({ apiKey: z.string(), installationKey: z.string() });

/** @throws Error that says what to deploy or start */
export async function findDeployment(options: StackOptions): Promise<Deployment> {
  const target = findStackAddress(options);
  const { dataDir, outputs, stack } = options;
  const flags = outputs === undefined ? ["--data-dir", dataDir] : ["--outputs", outputs];
  if (stack !== undefined) flags.push("--stack", stack);
  return { ...target, flags, ...(await keysOf(options)), database: await databaseOf(options, target) };
}

/** The keys of the local runtime or emulator; those of a deployed stack come in by variables, which test/e2e/run.ts sets. */
async function keysOf({ dataDir, outputs }: StackOptions): Promise<z.infer<typeof keysOfRuntime>> {
  if (outputs === undefined) return keysOfRuntime.parse(await readJson(join(dataDir, "runtime.json")));
  const { SLUICE_API_KEY: apiKey, SLUICE_INSTALLATION_KEY: installationKey } = process.env;
  return keysOfRuntime.parse({ apiKey, installationKey });
}

const readJson = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, "utf8"));

async function databaseOf(
  { dataDir, outputs, stack }: StackOptions,
  { sqs }: StackAddress,
): Promise<Deployment["database"]> {
  if (outputs === undefined) {
    const file = await readFile(join(dataDir, "runtime.json"), "utf8");
    const { clusterArn, secretArn, databaseName, dataApiUrl } = runtimeFile.parse(JSON.parse(file));
    const client = { ...sqs, endpoint: dataApiUrl };
    return { resourceArn: clusterArn, secretArn, database: databaseName, client };
  }
  const stacks = z.record(z.string(), z.object(names)).parse(JSON.parse(await readFile(outputs, "utf8")));
  const found = stack === undefined ? Object.values(stacks)[0] : stacks[stack];
  if (found === undefined) throw new Error(`${outputs} has no stack ${stack}.`);
  const region = sqs.region === undefined ? {} : { region: sqs.region };
  return {
    resourceArn: found.ClusterArn,
    secretArn: found.SecretArn,
    database: found.DatabaseName,
    client: region,
  };
}
