import { v7 as newId } from "uuid";
import { catalog } from "../../functions/adapters/catalog/catalog.ts";
import { createDynamoDb } from "../../functions/adapters/dynamodb/client.ts";
import { createProducerNotes } from "../../functions/adapters/dynamodb/producer-notes.ts";
import { allowedMethods } from "../../functions/adapters/lambda/allowed-methods.ts";
import { readEnvironment } from "../../functions/adapters/lambda/environment.ts";
import { ingestEnvironment } from "../../functions/adapters/lambda/environment-schemas.ts";
import { httpHandler } from "../../functions/adapters/lambda/http-handler.ts";
import { createKeyCheck } from "../../functions/adapters/lambda/key-check.ts";
import { createObservability } from "../../functions/adapters/lambda/observability.ts";
import { createSharedLimiter } from "../../functions/adapters/lambda/shared-limiter.ts";
import { createSignedEventQueue } from "../../functions/adapters/sqs/signed-event-queue.ts";
import { newProducerId } from "../../functions/core/producer-id.ts";
import { createIngestEndpoints } from "../../functions/ingest/endpoints.ts";
import { createIngest } from "../../functions/ingest/ingest.ts";
import { createNumbering } from "../../functions/ingest/number-events.ts";
import { NO_REFUSALS } from "../../functions/ingest/refusals.ts";
import { ingestRoutes } from "../../functions/routes/ingest.ts";
import { confirmSlowly } from "./stub-queue.ts";

/** The ingest function without the gatherer of refusals. What it is faster is the price of gathering. */
const environment = readEnvironment(ingestEnvironment);
const observability = createObservability("ingest", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();
const limiter = createSharedLimiter(environment, { client, logger });

const ingest = createIngest({
  limiter,
  queue: createSignedEventQueue(environment.QUEUE_URL, confirmSlowly, logger),
  refusals: NO_REFUSALS,
  numbering: createNumbering({
    notes: createProducerNotes({ client, table: environment.STATUS_TABLE }),
    clock: () => new Date(),
    newProducerId,
    later: (work, ms) => void setTimeout(work, ms).unref(),
    onFailure: () => undefined,
  }),
  catalog,
  unknownTypes: environment.UNKNOWN_TYPES,
  unknownVersions: environment.UNKNOWN_VERSIONS,
  retention: environment.RETENTION,
  onSchemaFailure: () => undefined,
  clock: () => new Date(),
  newId,
});

export const handler = httpHandler({
  routes: ingestRoutes,
  handlers: createIngestEndpoints(ingest),
  checkKey: createKeyCheck(environment, { client, metrics }),
  allowedMethods,
  corsOrigins: [],
  limiter,
  observability,
});
