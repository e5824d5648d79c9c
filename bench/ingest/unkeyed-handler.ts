import { v7 as newId } from "uuid";
import { catalog } from "../../functions/adapters/catalog/catalog.ts";
import { readEnvironment } from "../../functions/adapters/lambda/environment.ts";
import { ingestEnvironment } from "../../functions/adapters/lambda/environment-schemas.ts";
import { httpHandler } from "../../functions/adapters/lambda/http-handler.ts";
import { createObservability } from "../../functions/adapters/lambda/observability.ts";
import { createSignedEventQueue } from "../../functions/adapters/sqs/signed-event-queue.ts";
import type { Principal } from "../../functions/core/principal.ts";
import { newProducerId } from "../../functions/core/producer-id.ts";
import { createIngestEndpoints } from "../../functions/ingest/endpoints.ts";
import { createIngest } from "../../functions/ingest/ingest.ts";
import { createNumbering } from "../../functions/ingest/number-events.ts";
import { NO_REFUSALS } from "../../functions/ingest/refusals.ts";
import { allowedMethods } from "../../functions/adapters/lambda/allowed-methods.ts";
import { ingestRoutes } from "../../functions/routes/ingest.ts";
import { confirmAll } from "./stub-queue.ts";

/** The ingest function without the check of the key: everybody is one caller. What it is faster is the price of the check. */
const environment = readEnvironment(ingestEnvironment);
const observability = createObservability("ingest", environment);

const EVERYBODY: Principal = {
  tenant: "default",
  keyId: "none",
  keyTenant: "default",
  role: "producer",
  types: undefined,
  sources: undefined,
  tenantLimits: undefined,
  keyLimits: undefined,
  expiresAt: undefined,
};

const ingest = createIngest({
  refusals: NO_REFUSALS,
  limiter: { takeEvents: () => Promise.resolve(undefined) },
  numbering: createNumbering({
    notes: { write: () => Promise.resolve() },
    clock: () => new Date(),
    newProducerId,
    later: (work, ms) => void setTimeout(work, ms).unref(),
    onFailure: () => undefined,
  }),
  queue: createSignedEventQueue(environment.QUEUE_URL, confirmAll, observability.logger),
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
  checkKey: () => Promise.resolve(EVERYBODY),
  allowedMethods,
  corsOrigins: [],
  observability,
});
