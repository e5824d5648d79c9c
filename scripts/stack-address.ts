import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { SQSClientConfig } from "@aws-sdk/client-sqs";
import type { Command } from "commander";
import * as z from "zod";
import { localClient } from "../cli/local-client.ts";
import { userPath } from "../cli/npm.ts";
import { readError } from "../cli/read-lines.ts";
import { shellWord } from "../cli/shell-word.ts";

/** The URLs of the local runtime or of a deployed stack. */
export type StackAddress = {
  url: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** Of the local runtime: a key of an admin. */
  apiKey?: string | undefined;
  sqs: SQSClientConfig;
  /** Of the local runtime: a key for every tenant. */
  installationKey?: string | undefined;
  /** Of a deployed stack: whoever may invoke this function may make a key. */
  accessFunctionName?: string | undefined;
};

export type StackOptions = { dataDir: string; outputs?: string; stack?: string };

const DEFAULT_DATA_DIR = ".sluice";

export function addStackOptions(command: Command): Command {
  const path = (text: string) => userPath(text);
  return command
    .option("--outputs <file>", "a deployed stack, by the outputs file of cdk deploy", path)
    .option("--stack <name>", "which stack of the outputs file")
    .option("--data-dir <folder>", "the data folder of the runtime that runs here", path, DEFAULT_DATA_DIR);
}

/** The options that name the same stack, for a command line that is shown. */
export function stackFlags({ dataDir, outputs, stack }: StackOptions): string {
  const flags = { outputs, stack, "data-dir": dataDir === DEFAULT_DATA_DIR ? undefined : dataDir };
  return Object.entries(flags)
    .map(([name, value]) => (value === undefined ? "" : ` --${name} ${shellWord(value)}`))
    .join("");
}

/** The file that `npm start` writes while it runs; equal to the line of `npm start -- --json`. */
const runtimeFile = z.object({
  url: z.url(),
  queueUrl: z.url(),
  deadLetterQueueUrl: z.url(),
  apiKey: z.string().optional(),
  awsEndpointUrl: z.url(),
  region: z.string().min(1),
  installationKey: z.string().optional(),
});

/** The outputs of a stack of Sluice in the file of `cdk deploy --outputs-file`. */
const stackOutputs = z.object({
  ApiUrl: z.url(),
  QueueUrl: z.url(),
  DeadLetterQueueUrl: z.url(),
  AccessFunctionName: z.string().optional(),
});

/** @throws Error that names the command to run, or the stacks of the outputs file */
export function findStackAddress({ dataDir, outputs, stack }: StackOptions): StackAddress {
  if (outputs !== undefined) {
    if (dataDir !== DEFAULT_DATA_DIR)
      throw new Error("--outputs and --data-dir name two stacks. Leave one of them out.");
    return deployedAddress(outputs, stack);
  }
  if (stack !== undefined) throw new Error("--stack chooses a stack of an outputs file. Name the file with --outputs.");
  return localAddress(dataDir);
}

/** An operator prefers a wait of two more seconds to starting again. */
const MAX_ATTEMPTS = 5;

function localAddress(dataDir: string): StackAddress {
  const file = join(dataDir, "runtime.json");
  if (!existsSync(file)) {
    throw new Error(
      `Nothing runs here: ${resolve(file)} is missing. Start the runtime with \`npm start\`, or name a deployed stack with --outputs outputs.json.`,
    );
  }
  const read = runtimeFile.safeParse(readJson(file, START_AGAIN));
  if (!read.success) throw new Error(`${resolve(file)} is not what \`npm start\` writes. ${START_AGAIN}`);
  const { awsEndpointUrl, region, ...rest } = read.data;
  return {
    ...rest,
    sqs: localClient({ endpoint: awsEndpointUrl, region, maxAttempts: MAX_ATTEMPTS }),
  };
}

const START_AGAIN = "Start the runtime again with `npm start`.";

function deployedAddress(file: string, stack: string | undefined): StackAddress {
  if (!existsSync(file)) {
    throw new Error(
      `${file} is missing. \`npm run deploy\` writes it; \`cdk deploy --outputs-file ${file}\` does too.`,
    );
  }
  const stacks = z.record(z.string(), z.unknown()).safeParse(readJson(file, DEPLOY_AGAIN));
  if (!stacks.success) throw new Error(`${file} is no outputs file of \`cdk deploy\`. ${DEPLOY_AGAIN}`);
  const ours = Object.entries(stacks.data).flatMap(([name, value]) => {
    const outputs = stackOutputs.safeParse(value);
    return outputs.success ? [{ name, outputs: outputs.data }] : [];
  });
  const [first, ...others] = ours;
  if (first === undefined) throw new Error(`${file} has no stack of Sluice. ${DEPLOY_AGAIN}`);
  const chosen = stack === undefined && others.length === 0 ? first : ours.find(({ name }) => name === stack);
  if (chosen === undefined) {
    const names = ours.map(({ name }) => name).join(", ");
    throw new Error(
      stack === undefined
        ? `${file} has several stacks of Sluice. Name one with --stack: ${names}.`
        : `${file} has no stack of Sluice that is called ${stack}. Name one with --stack: ${names}.`,
    );
  }
  const { outputs } = chosen;
  const region = /^https:\/\/sqs\.([a-z0-9-]+)\./.exec(outputs.QueueUrl)?.[1];
  return {
    url: outputs.ApiUrl.replace(/\/$/, ""),
    queueUrl: outputs.QueueUrl,
    deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
    accessFunctionName: outputs.AccessFunctionName,
    sqs: region === undefined ? {} : { region },
  };
}

const DEPLOY_AGAIN = "Write it again with `npm run deploy`.";

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw readError(resolve(file), error);
  }
}

function readJson(file: string, advice: string): unknown {
  const text = read(file).replace(/^\uFEFF/, "");
  if (text.trim() === "") throw new Error(`${resolve(file)} is empty. ${advice}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${resolve(file)} is not JSON. ${advice}`);
  }
}
