import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createEventReader } from "../adapters/data-api/event-reader.ts";
import { queryEnvironment, readEnvironment } from "../adapters/lambda/environment.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { allowedMethods } from "../routes/allowed-methods.ts";
import { queryRoutes } from "../routes/query.ts";
import { createQueryEndpoints } from "./endpoints.ts";
import { createQuery } from "./query.ts";

const environment = readEnvironment(queryEnvironment);
const observability = createObservability("query", environment);

const query = createQuery({ reader: createEventReader(createDataApi(environment)) });

/** Reads events. */
export const handler = httpHandler({
  routes: queryRoutes,
  handlers: createQueryEndpoints(query),
  allowedMethods,
  observability,
});
