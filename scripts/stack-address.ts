import { existsSync, readFileSync } from "node:fs";
import { SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import type { Command } from "commander";
import * as z from "zod";

/** The URLs of the local runtime or of a deployed stack. */
export type StackAddress = {
  url: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  sqs: SQSClientConfig;
  /** The journal of a replay: a file in the data folder, or beside the outputs file. */
  journal: string;
};

export type StackOptions = { dataDir: string; outputs?: string; stack?: string };

const DEFAULT_DATA_DIR = ".sluice";

export function addStackOptions(command: Command): Command {
  return command
    .option("--outputs <file>", "a deployed stack, by the outputs file of cdk deploy")
    .option("--stack <name>", "which stack of the outputs file")
    .option("--data-dir <folder>", "the data folder of the runtime that runs here", DEFAULT_DATA_DIR);
}

/** The options that name the same stack, for a command line that is shown. */
export function stackFlags({ dataDir, outputs, stack }: StackOptions): string {
  const flags = { outputs, stack, "data-dir": dataDir === DEFAULT_DATA_DIR ? undefined : dataDir };
  return Object.entries(flags)
    .map(([name, value]) => (value === undefined ? "" : ` --${name} ${value}`))
    .join("");
}

/** The file that `npm start` writes while it runs; equal to the line of `npm start -- --json`. */
const runtimeFile = z.object({
  url: z.url(),
  queueUrl: z.url(),
  deadLetterQueueUrl: z.url(),
  awsEndpointUrl: z.url(),
  region: z.string().min(1),
});

/** The file of `cdk deploy --outputs-file`: stack name to outputs. */
const outputsFile = z.record(z.string(), z.object({ ApiUrl: z.url(), QueueUrl: z.url(), DeadLetterQueueUrl: z.url() }));

/** @throws Error that names the command to run, or the stacks of the outputs file */
export function findStackAddress({ dataDir, outputs, stack }: StackOptions): StackAddress {
  return outputs === undefined ? localAddress(dataDir) : deployedAddress(outputs, stack);
}

export function createSqsClient({ sqs }: StackAddress): SQSClient {
  return new SQSClient({ ...sqs, maxAttempts: MAX_ATTEMPTS, requestHandler: TIMEOUTS });
}

/** An operator prefers a wait of two more seconds to starting again. */
const MAX_ATTEMPTS = 5;

/** Ends a call that hangs, so that the SDK repeats it; without this the SDK waits for ever. */
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true };

function localAddress(dataDir: string): StackAddress {
  const file = `${dataDir}/runtime.json`;
  if (!existsSync(file)) {
    throw new Error(
      `Nothing runs here: ${file} is missing. Start the runtime with \`npm start\`, or name a deployed stack with --outputs outputs.json.`,
    );
  }
  const { awsEndpointUrl, region, ...rest } = runtimeFile.parse(JSON.parse(readFileSync(file, "utf8")));
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  return { ...rest, sqs: { endpoint: awsEndpointUrl, region, credentials }, journal: `${dataDir}/replay.journal` };
}

function deployedAddress(file: string, stack: string | undefined): StackAddress {
  if (!existsSync(file)) {
    throw new Error(
      `${file} is missing. \`npm run deploy\` writes it; \`cdk deploy --outputs-file ${file}\` does too.`,
    );
  }
  const stacks = outputsFile.parse(JSON.parse(readFileSync(file, "utf8")));
  const names = Object.keys(stacks);
  const name = stack ?? (names.length === 1 ? names[0] : undefined);
  const found = name === undefined ? undefined : stacks[name];
  if (found === undefined) throw new Error(`Name one of the stacks in ${file} with --stack: ${names.join(", ")}.`);
  const region = /^https:\/\/sqs\.([a-z0-9-]+)\./.exec(found.QueueUrl)?.[1];
  return {
    url: found.ApiUrl.replace(/\/$/, ""),
    queueUrl: found.QueueUrl,
    deadLetterQueueUrl: found.DeadLetterQueueUrl,
    sqs: region === undefined ? {} : { region },
    journal: `${file}.${name}.replay.journal`,
  };
}
