import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { AccessError } from "../../core/access.ts";

const CONNECTION_TIMEOUT_MS = 500;
const REQUEST_TIMEOUT_MS = 1_500;
const MAX_ATTEMPTS = 2;

/** Both attempts, with the bodies of their answers, which the time-outs above leave out. */
const READ_MS = 3_500;

/** After a failed read nobody asks for so long: each request that asks would hold its process for seconds. */
const PAUSE_MS = 1_000;

/**
 * Reads the secret under which keys are hashed, once for each process: it never changes. Concurrent calls share one read,
 * and a failed one is made again after a second.
 * @throws AccessError when Secrets Manager does not answer
 */
export function createKeySecret(arn: string): () => Promise<Uint8Array> {
  const client = new SecretsManagerClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  let reading: Promise<Uint8Array> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  async function read(): Promise<Uint8Array> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), READ_MS);
    try {
      const command = new GetSecretValueCommand({ SecretId: arn });
      const { SecretString: text = "" } = await client.send(command, { abortSignal: stop.signal });
      if (text === "") throw new Error("The secret is empty.");
      return Buffer.from(text, "utf8");
    } catch (cause) {
      reading = undefined;
      failedAt = Date.now();
      throw new AccessError("The secret of the keys could not be read.", { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  return async () => {
    if (reading === undefined && Math.abs(Date.now() - failedAt) < PAUSE_MS) {
      throw new AccessError("The secret of the keys could not be read just now.");
    }
    return (reading ??= read());
  };
}
