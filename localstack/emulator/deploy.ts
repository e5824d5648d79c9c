import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import type { Addresses } from "../addresses.ts";
import { commandEnvironment } from "../child-environment.ts";
import { messageOf } from "../message-of.ts";
import { allowHttpSinks } from "./allow-http-sinks.ts";
import { invokeFunction } from "./functions-api.ts";
import { ensureLocalKeys } from "../local-keys.ts";
import { probe } from "./probe.ts";
import { runMigrations } from "./run-migrations.ts";
import type { Session } from "./session.ts";
import { deleteStack } from "./stacks.ts";

const PROJECT_DIR = resolve(import.meta.dirname, "../..");

/** The account of a client with any credentials, as emulators have it. */
const ACCOUNT_ID = "000000000000";
const REGION = "us-east-1";

type Outputs = z.infer<typeof outputsOf>;
const outputsOf = z.record(
  z.string(),
  z.object({
    ApiUrl: z.url(),
    QueueUrl: z.url(),
    DeadLetterQueueUrl: z.url(),
    ClusterArn: z.string(),
    SecretArn: z.string(),
    DatabaseName: z.string(),
    AccessFunctionName: z.string(),
  }),
);

const readOutputs = async (dataDir: string): Promise<Outputs> =>
  outputsOf.parse(JSON.parse(await readFile(outputsFile(dataDir), "utf8").catch(() => "{}")));

const outputsFile = (dataDir: string): string => join(dataDir, "outputs.json");

export type DeployOptions = {
  dataDir: string;
  /** Lets subscriptions deliver to `http://127.0.0.1:PORT`, until `down`. @default they may not, as on AWS */
  allowHttpSinks?: boolean;
};

/**
 * Deploys the CDK app with the CDK's own command line. Bootstraps the emulator the first time, and writes outputs.json,
 * and runtime.json for the commands of scripts/.
 * @param words further arguments of `cdk deploy`
 * @throws Error if the command fails, for example because another stage is deployed there; its messages are on the terminal.
 *   Also if the deployed stack does not store an event
 */
export async function deploy(
  session: Session,
  { dataDir, allowHttpSinks: isAsked = false }: DeployOptions,
  words: string[] = [],
): Promise<Addresses> {
  const [deployed] = Object.keys(await readOutputs(dataDir));
  const run = (words: string[]) => cdk(session, dataDir, [...words, ...databaseContext(session, deployed)]);
  if (deployed === undefined) await run(["bootstrap", `aws://${ACCOUNT_ID}/${REGION}`]);
  const file = outputsFile(dataDir);
  await run(["deploy", "--require-approval", "never", "--outputs-file", file, ...words]);
  const [entry] = Object.entries(await readOutputs(dataDir));
  if (entry === undefined) throw new Error(`${file} names no stack.`);
  const [name, stack] = entry;
  await ensureMigrated(session, name, deployed !== undefined);
  const allowsHttpSinks = isAsked && (await allowHttpSinks(session, name));
  if (isAsked && !allowsHttpSinks) print(SINKS_NOT_REACHED);
  const { ApiUrl, QueueUrl, DeadLetterQueueUrl, ClusterArn, SecretArn, DatabaseName, AccessFunctionName } = stack;
  const url = reachableApiUrl(ApiUrl, session.endpoint);
  const keys = await ensureLocalKeys({
    dataDir,
    url,
    invokeAccess: (payload) => invokeFunction(session.endpoint, AccessFunctionName, payload),
  });
  const addresses = {
    region: REGION,
    url,
    ...keys,
    databaseUrl: session.databaseUrl,
    queueUrl: reachableQueueUrl(QueueUrl, session.endpoint),
    deadLetterQueueUrl: reachableQueueUrl(DeadLetterQueueUrl, session.endpoint),
    awsEndpointUrl: session.endpoint,
    dynamodbUrl: session.endpoint,
    secretsManagerUrl: session.endpoint,
    dataApiUrl: session.dataApiUrl,
    clusterArn: ClusterArn,
    secretArn: SecretArn,
    databaseName: DatabaseName,
    allowsHttpSinks,
  };
  await writeFile(runtimeFile(dataDir), `${JSON.stringify(addresses)}\n`, { mode: 0o600 });
  await probeStack(addresses, dataDir);
  return addresses;
}

/**
 * Runs the migrations where the emulator omits the deployment's trigger: LocalStack 4.14 always (it takes Custom::Trigger
 * for a resource that it does not know), MiniStack 1.4.21 at an update (its `Ref` of a function's version never changes).
 * @throws Error if they fail, or if they did not run in an emulator that does run the trigger
 */
async function ensureMigrated({ emulator, endpoint }: Session, stack: string, isUpdate: boolean): Promise<void> {
  const applied = await runMigrations(endpoint, stack);
  if (applied.length === 0) return;
  if (emulator === "ministack" && !isUpdate) {
    throw new Error(`The deployment did not run the migrations, which its trigger in lib/migrate.ts should.`);
  }
  print(
    `\nThe emulator omitted the deployment's trigger; the migrate function, called for it, applied ${applied.join(", ")}.`,
  );
}

/** @throws Error that says where to look */
async function probeStack(addresses: Addresses, dataDir: string): Promise<void> {
  const outcome = await probe(addresses).catch((cause: unknown) => {
    throw new Error(
      `${messageOf(cause)}\nLook at \`npm run localstack -- logs --data-dir ${dataDir}\` (the functions; with --emulator: the emulator) and \`npm run dead-letters -- list --data-dir ${dataDir}\`.`,
      { cause },
    );
  });
  print(
    outcome === "stored"
      ? "\nA probe event was stored, read back and deleted."
      : "\nNo probe event was tried: the stage refuses types outside its catalog.",
  );
}

const SINKS_NOT_REACHED =
  "\nSubscriptions still deliver to https:// alone: the functions run in containers, which do not reach 127.0.0.1 of this machine.";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** @throws Error that says how to deploy */
export async function readUrl(dataDir: string): Promise<string> {
  const text = await readFile(runtimeFile(dataDir), "utf8").catch(() => undefined);
  if (text === undefined) throw new Error("Nothing is deployed. Deploy with `npm run localstack -- deploy`.");
  return (JSON.parse(text) as Addresses).url;
}

/** Deletes the deployed stacks from an emulator that goes on running. */
export async function deleteStacks({ endpoint }: Session, dataDir: string): Promise<void> {
  for (const name of Object.keys(await readOutputs(dataDir))) await deleteStack(endpoint, name);
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

/** The context that leads the app to the session's database, with the stack that is deployed there already. */
export function databaseContext({ database }: Pick<Session, "database">, usedBy: string | undefined): string[] {
  return ["--context", "target=localstack", "--context", `database=${JSON.stringify({ ...database, usedBy })}`];
}

async function cdk(session: Session, dataDir: string, words: string[]): Promise<void> {
  const child = spawn(
    process.execPath,
    [
      join(PROJECT_DIR, "node_modules/aws-cdk/bin/cdk"),
      ...words,
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
