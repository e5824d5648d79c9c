import type { LambdaClientConfig } from "@aws-sdk/client-lambda";
import * as z from "zod";
import { schemas } from "../../functions/core/answer.ts";
import type { StackAddress } from "../stack-address.ts";

/** The key that a command makes for itself; it lives long enough for a list of many pages. */
const OF_A_COMMAND = { name: "a command of the repository", life: "15m" };

const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

/**
 * Finds the key with which a command manages keys: SLUICE_API_KEY, else that of the local runtime, else one of the
 * installation that ends after a quarter of an hour unless the command says otherwise, made with the AWS credentials of the shell. No option has a key: a
 * command line is in the list of processes.
 * @throws Error that says how to give a key
 */
export async function findAdminKey(
  address: StackAddress,
  environment: NodeJS.ProcessEnv,
  made: { name: string; life: string } = OF_A_COMMAND,
): Promise<string> {
  const given = environment["SLUICE_API_KEY"]?.trim() ?? "";
  if (given !== "") return given;
  if (address.installationKey !== undefined) return address.installationKey;
  if (address.accessFunctionName === undefined) {
    throw new Error(`There is no key for this stack. ${GIVE_KEY}`);
  }
  try {
    return await makeKey(address.accessFunctionName, address.sqs.region, made);
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new Error(`No key could be made by invoking ${address.accessFunctionName} (${why}). ${GIVE_KEY}`, {
      cause: error,
    });
  }
}

const GIVE_KEY = "Set SLUICE_API_KEY in the environment to a key with the rights that the command needs.";

async function makeKey(
  functionName: string,
  region: LambdaClientConfig["region"],
  { name, life: expires }: { name: string; life: string },
): Promise<string> {
  // Loaded here, because only a deployed stack needs it.
  const { InvokeCommand, LambdaClient } = await import("@aws-sdk/client-lambda");
  const client = new LambdaClient({ ...(region !== undefined && { region }), requestHandler: TIMEOUTS });
  try {
    const event = { createInstallationKey: { name, expires } };
    const { Payload: payload, FunctionError: failed } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }),
    );
    const answer: unknown = JSON.parse(new TextDecoder().decode(payload));
    if (failed !== undefined) throw new Error(failure.safeParse(answer).data?.errorMessage ?? failed);
    return schemas.MadeKey.parse(answer).key;
  } finally {
    client.destroy();
  }
}

/** The answer of a function that threw. @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
const failure = z.object({ errorMessage: z.string() });
