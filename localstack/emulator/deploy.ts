import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import type { Addresses } from "../runtime.ts";
import { commandEnvironment } from "../child-environment.ts";
import { migrateAgain } from "./migrate-again.ts";
import type { Session } from "./session.ts";
import { deleteStack } from "./stacks.ts";

const PROJECT_DIR = resolve(import.meta.dirname, "../..");

/** The account of a client with any credentials, as emulators have it. */
const ACCOUNT_ID = "000000000000";
const REGION = "us-east-1";

const outputsOf = z.record(
  z.string(),
  z.object({
    ApiUrl: z.url(),
    QueueUrl: z.url(),
    DeadLetterQueueUrl: z.url(),
    ClusterArn: z.string(),
    SecretArn: z.string(),
    DatabaseName: z.string(),
  }),
);

/**
 * Deploys the CDK app with the CDK's own command line. Bootstraps the emulator the first time, and writes outputs.json,
 * and runtime.json for the commands of scripts/.
 * @param words further arguments of `cdk deploy`
 * @throws Error if the command fails; its messages are on the terminal
 */
export async function deploy(session: Session, dataDir: string, words: string[] = []): Promise<Addresses> {
  const outputs = join(dataDir, "outputs.json");
  const isUpdate = existsSync(outputs);
  if (!isUpdate) await cdk(session, dataDir, ["bootstrap", `aws://${ACCOUNT_ID}/${REGION}`]);
  await cdk(session, dataDir, ["deploy", "--require-approval", "never", "--outputs-file", outputs, ...words]);
  if (isUpdate && session.emulator === "ministack") await migrateAgain(session.endpoint);
  const [stack] = Object.values(outputsOf.parse(JSON.parse(await readFile(outputs, "utf8"))));
  if (stack === undefined) throw new Error(`${outputs} names no stack.`);
  const { ApiUrl, QueueUrl, DeadLetterQueueUrl, ClusterArn, SecretArn, DatabaseName } = stack;
  const addresses = {
    region: REGION,
    url: reachableApiUrl(ApiUrl, session.endpoint),
    databaseUrl: session.databaseUrl,
    queueUrl: reachableQueueUrl(QueueUrl, session.endpoint),
    deadLetterQueueUrl: reachableQueueUrl(DeadLetterQueueUrl, session.endpoint),
    awsEndpointUrl: session.endpoint,
    dataApiUrl: session.dataApiUrl,
    clusterArn: ClusterArn,
    secretArn: SecretArn,
    databaseName: DatabaseName,
  };
  await writeFile(runtimeFile(dataDir), `${JSON.stringify(addresses)}\n`, { mode: 0o600 });
  return addresses;
}

/** @throws Error that says how to deploy */
export async function readUrl(dataDir: string): Promise<string> {
  const text = await readFile(runtimeFile(dataDir), "utf8").catch(() => undefined);
  if (text === undefined) throw new Error("Nothing is deployed. Deploy with `npm run localstack -- deploy`.");
  return (JSON.parse(text) as Addresses).url;
}

/** Deletes the deployed stacks from an emulator that goes on running. */
export async function deleteStacks({ endpoint }: Session, dataDir: string): Promise<void> {
  const text = await readFile(join(dataDir, "outputs.json"), "utf8").catch(() => "{}");
  for (const name of Object.keys(JSON.parse(text) as object)) await deleteStack(endpoint, name);
}

const runtimeFile = (dataDir: string): string => join(dataDir, "runtime.json");

/**
 * `https://ID.execute-api.REGION.amazonaws.com/STAGE/` as emulators serve it.
 * @see https://docs.localstack.cloud/aws/services/apigateway/ (alternative URL format)
 */
export function reachableApiUrl(apiUrl: string, endpoint: string): string {
  const { hostname, pathname } = new URL(apiUrl);
  const [apiId] = hostname.split(".");
  return `${endpoint}/_aws/execute-api/${apiId}${pathname.replace(/\/$/, "")}`;
}

/** A queue's URL with the emulator's host, because this machine may not resolve the original one. */
export function reachableQueueUrl(queueUrl: string, endpoint: string): string {
  return `${endpoint}${new URL(queueUrl).pathname}`;
}

async function cdk(session: Session, dataDir: string, words: string[]): Promise<void> {
  const context = ["--context", "target=localstack", "--context", `database=${JSON.stringify(session.database)}`];
  const child = spawn(
    process.execPath,
    [
      join(PROJECT_DIR, "node_modules/aws-cdk/bin/cdk"),
      ...words,
      ...context,
      "--output",
      join(resolve(dataDir), "cdk.out"),
      "--no-notices",
    ],
    {
      cwd: PROJECT_DIR,
      env: {
        ...commandEnvironment(),
        AWS_ENDPOINT_URL: session.endpoint,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_REGION: REGION,
        CDK_DISABLE_CLI_TELEMETRY: "true",
      },
      stdio: "inherit",
    },
  );
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`cdk ${words[0]} ended with ${code}; its messages are above.`);
}
