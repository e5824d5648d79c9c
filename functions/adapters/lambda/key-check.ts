import { setTimeout as delay } from "node:timers/promises";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type CheckKey, createCheckKey } from "../../core/check-key.ts";
import { createAccessReader } from "../dynamodb/access-reader.ts";
import { createKeyUsageWriter } from "../dynamodb/key-usage.ts";
import { createKeySecret } from "../secrets-manager/key-secret.ts";
import { lambdaEnvironment } from "./environment.ts";
import type { Metrics } from "./metrics.ts";

/**
 * Makes the check of keys from the environment of a function that answers requests. What the first request would wait for, one after the
 * other, begins here: the secret, and a connection to the tables by a read of no key. A failure is that of the request that asks again.
 */
export function createKeyCheck(
  environment: { ACCESS_TABLE: string; USAGE_TABLE: string; KEY_SECRET_ARN: string },
  {
    client,
    metrics,
    secret = createKeySecret(environment.KEY_SECRET_ARN),
  }: { client: DynamoDBClient; metrics: Metrics; secret?: () => Promise<Uint8Array> },
): CheckKey {
  const reader = createAccessReader({ client, table: environment.ACCESS_TABLE });
  if (lambdaEnvironment.isStartedOnDemand())
    for (const begun of [secret(), reader.key("")]) begun.catch(() => undefined);
  return createCheckKey({
    reader,
    usage: createKeyUsageWriter({ client, table: environment.USAGE_TABLE }),
    secret,
    clock: () => new Date(),
    wait: delay,
    onStale: () => metrics.addMetric("KeysStale", "Count", 1),
  });
}
