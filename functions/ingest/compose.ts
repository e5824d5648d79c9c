import { v7 as newId } from "uuid";
import { createProducerNotes } from "../adapters/dynamodb/producer-notes.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { lambdaEnvironment, readEnvironment } from "../adapters/lambda/environment.ts";
import { ingestEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { loggableError } from "../adapters/lambda/loggable-error.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import type { SignedCalls } from "../adapters/sqs/signed-calls.ts";
import { createSignedEventQueue } from "../adapters/sqs/signed-event-queue.ts";
import { catalog } from "../adapters/catalog/catalog.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import type { CheckKey } from "../core/check-key.ts";
import { newProducerId } from "../core/producer-id.ts";
import { ingestRoutes } from "../routes/ingest.ts";
import { createIngestEndpoints } from "./endpoints.ts";
import { createIngest } from "./ingest.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import { createNumbering } from "./number-events.ts";

/** Composes the function around its calls of SQS, in whose place benchmarks have others, as they have of other parts. */
export function composeIngest(
  { sendBatch, connect }: SignedCalls,
  others: { checkKey?: CheckKey; refusals?: Refusals } = {},
) {
  const environment = readEnvironment(ingestEnvironment);
  if (lambdaEnvironment.isStartedOnDemand()) void connect(environment.QUEUE_URL);
  const observability = createObservability("ingest", environment);
  const { logger, metrics } = observability;
  const client = createDynamoDb();
  const limiter = createSharedLimiter(environment, { client, logger });

  const clock = () => new Date();
  const later = (work: () => void, ms: number) => void setTimeout(work, ms).unref();
  const {
    checkKey = createKeyCheck(environment, { client, metrics }),
    refusals = createRefusals({
      queue: createSignedEventQueue(environment.STATUS_QUEUE_URL, sendBatch, logger),
      clock,
      newId,
      later,
    }),
  } = others;

  const ingest = createIngest({
    limiter,
    queue: createSignedEventQueue(environment.QUEUE_URL, sendBatch, logger),
    refusals,
    numbering: createNumbering({
      notes: createProducerNotes({ client, table: environment.STATUS_TABLE }),
      clock,
      newProducerId,
      later,
      onFailure: (error) => logger.warn("numbers not noted", { error: loggableError(error) }),
    }),
    catalog,
    unknownTypes: environment.UNKNOWN_TYPES,
    unknownVersions: environment.UNKNOWN_VERSIONS,
    retention: environment.RETENTION,
    onSchemaFailure: ({ file, error }) => logger.error("schema failed", { file, error: loggableError(error) }),
    clock,
    newId,
  });

  return httpHandler({
    routes: ingestRoutes,
    handlers: createIngestEndpoints(ingest),
    checkKey,
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter,
    observability,
  });
}
