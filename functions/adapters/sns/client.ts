import { SNSClient } from "@aws-sdk/client-sns";

export { PublishCommand } from "@aws-sdk/client-sns";

/** A publish takes milliseconds within a region. */
const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 5_000;
const MAX_ATTEMPTS = 2;

export function createSns(): SNSClient {
  return new SNSClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it the SDK logs a warning and waits on.
      throwOnRequestTimeout: true,
    },
  });
}
