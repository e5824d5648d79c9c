import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createEventReader } from "../adapters/data-api/event-reader.ts";
import { queryEnvironment, readEnvironment } from "../adapters/lambda/environment.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createQuery } from "./query.ts";
import { createEventRoute, healthRoute } from "./route.ts";

const environment = readEnvironment(queryEnvironment);
const observability = createObservability("query", environment);

const query = createQuery({ reader: createEventReader(createDataApi(environment)) });

/** `GET /events/{id}`, `GET /health` */
export const handler = httpHandler({
  routes: { "GET /events/{id}": createEventRoute(query), "GET /health": healthRoute },
  observability,
});
