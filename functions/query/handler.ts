import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createEventReader } from "../adapters/data-api/event-reader.ts";
import { queryEnvironment, readEnvironment } from "../adapters/lambda/environment.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { QUERY_RESERVE } from "../core/limiter.ts";
import { allowedMethods } from "../routes/allowed-methods.ts";
import { queryRoutes } from "../routes/query.ts";
import { createQueryEndpoints } from "./endpoints.ts";
import { createQuery } from "./query.ts";

const environment = readEnvironment(queryEnvironment);
const observability = createObservability("query", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();

const query = createQuery({ reader: createEventReader(createDataApi(environment)) });

/** Reads events. */
export const handler = httpHandler({
  routes: queryRoutes,
  handlers: createQueryEndpoints(query),
  checkKey: createKeyCheck(environment, { client, metrics }),
  allowedMethods,
  corsOrigins: environment.CORS_ORIGINS,
  limiter: createSharedLimiter(environment, { client, logger, reserve: QUERY_RESERVE }),
  observability,
});
