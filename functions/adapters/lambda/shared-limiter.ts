import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createLimiter, type Limiter } from "../../core/limiter.ts";
import type { Reserve } from "../../core/token-bucket.ts";
import { createLeaseStore } from "../dynamodb/lease-store.ts";
import { loggableError } from "./loggable-error.ts";
import type { Logger } from "./logger.ts";

/** Makes the limits that a function shares with all others, from the environment of one that answers requests. */
export function createSharedLimiter(
  environment: { USAGE_TABLE: string },
  { client, logger, reserve = 0 }: { client: DynamoDBClient; logger: Logger; reserve?: Reserve },
): Limiter {
  return createLimiter({
    store: createLeaseStore({ client, table: environment.USAGE_TABLE }),
    clock: () => new Date(),
    random: Math.random,
    onFailure: (error) => logger.warn("limits not shared", { error: loggableError(error) }),
    reserve,
  });
}
