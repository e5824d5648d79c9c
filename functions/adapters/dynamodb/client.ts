import { ConditionalCheckFailedException, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { AccessError } from "../../core/access.ts";
import { openAhead } from "../lambda/open-connection.ts";

/** An answer takes milliseconds. Ingest has ten seconds for a request, and must still be able to refuse it. */
const CONNECTION_TIMEOUT_MS = 500;
const REQUEST_TIMEOUT_MS = 1_000;
const MAX_ATTEMPTS = 2;

/** Makes the client that all tables of a function share. */
export function createDynamoDb(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it the SDK logs a warning and waits on.
      throwOnRequestTimeout: true,
    },
  });
}

/** Opens a connection for the first call of a table. Never throws. */
export const connectTable = (client: DynamoDBClient, table: string): Promise<void> | undefined =>
  openAhead(client, new GetItemCommand({ TableName: table, Key: {} }));

/**
 * Makes a client for leases over the connections of another one. It shows a throttled call at once, so that the limiter asks
 * less often: the SDK would repeat the call, until the time of the lease is over and it looks like an outage. A call that
 * failed otherwise is repeated once, because a process that was frozen finds its connections closed.
 */
export function createLeaseClient({ config }: DynamoDBClient): DynamoDBClient {
  const { region, credentials, requestHandler, endpoint } = config;
  return new DynamoDBClient({
    region,
    credentials,
    requestHandler,
    ...(endpoint !== undefined && { endpoint }),
    retryStrategy: {
      acquireInitialRetryToken: () => Promise.resolve(retryToken(0)),
      refreshRetryTokenForRetry: (token, { errorType }) =>
        errorType === "TRANSIENT" && token.getRetryCount() === 0
          ? Promise.resolve(retryToken(1))
          : Promise.reject(new Error("The call is not repeated.")),
      recordSuccess: () => undefined,
    },
  });
}

const retryToken = (count: number) => ({ getRetryCount: () => count, getRetryDelay: () => 0 });

/** Awaits a call of a table. @throws AccessError for every failure of the call */
export async function answered<Output>(call: Promise<Output>): Promise<Output> {
  try {
    return await call;
  } catch (cause) {
    throw toAccessError(cause);
  }
}

/** Makes a call that ends in time, its body too, which the client's own time-outs leave out. @throws AccessError for every failure */
export async function inTime<T>(timeoutMs: number, call: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  // This timer is cleared; the one of AbortSignal.timeout would hold the signal after each call.
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeoutMs);
  try {
    return await answered(call(stop.signal));
  } finally {
    clearTimeout(timer);
  }
}

/** Awaits a conditional write. False where its condition was not met. @throws AccessError for every other failure */
export async function isMet(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (cause) {
    if (cause instanceof ConditionalCheckFailedException) return false;
    throw toAccessError(cause);
  }
}

/**
 * Errors of calls that are too many, for an item or in all, or that met another one of the same item.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
const THROTTLES: ReadonlySet<string> = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "TransactionConflictException",
]);

function toAccessError(cause: unknown): AccessError {
  const name = cause instanceof Error ? cause.name : "unknown";
  // Of all refusals only this one is about the request: a missing table or right concerns every key.
  return new AccessError(`DynamoDB did not answer a call: ${name}.`, {
    cause,
    isOutage: name !== "ValidationException",
    isThrottled: THROTTLES.has(name),
  });
}
