import { SQSClient } from "@aws-sdk/client-sqs";
import { MAX_ATTEMPTS, type StackAddress } from "./stack-address.ts";

/** Makes the client of a stack's queues, in a file of its own: most commands need none, and loading it takes a while. */
export function createSqsClient({ sqs }: StackAddress): SQSClient {
  return new SQSClient({ ...sqs, maxAttempts: MAX_ATTEMPTS, requestHandler: TIMEOUTS });
}

/** Ends a call that hangs, so that the SDK repeats it; without this the SDK waits for ever. */
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true };
