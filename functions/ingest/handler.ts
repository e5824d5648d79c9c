import { awsEnvironment } from "../adapters/lambda/environment.ts";
import { createSignedCalls } from "../adapters/sqs/signed-calls.ts";
import { composeIngest } from "./compose.ts";

/** Receives events over HTTP. */
export const handler = composeIngest(createSignedCalls(awsEnvironment));
