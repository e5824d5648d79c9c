import { setTimeout as delay } from "node:timers/promises";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { createLagReader, createStoreMark } from "../adapters/dynamodb/store-mark.ts";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createAggregateReader } from "../adapters/data-api/aggregate-reader.ts";
import { createDeadLetterReader } from "../adapters/data-api/dead-letter-reader.ts";
import { createEventReader } from "../adapters/data-api/event-reader.ts";
import { createListReader } from "../adapters/data-api/list-reader.ts";
import { createFeedReader } from "../adapters/data-api/feed-reader.ts";
import { createWindowReader } from "../adapters/data-api/window-reader.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { queryEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { openAhead } from "../adapters/lambda/open-connection.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { createKeySecret } from "../adapters/secrets-manager/key-secret.ts";
import { createCursors } from "../core/cursor.ts";
import { QUERY_RESERVE } from "../core/limiter.ts";
import { TENANT_MAX_QUERIES } from "../core/query-load-limits.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { queryRoutes } from "../routes/query.ts";
import { createAggregate } from "./aggregate.ts";
import { createAnswerIfChanged } from "./answer-if-changed.ts";
import { createAnswerList } from "./answer-list.ts";
import { awaitSlot } from "./await-slot.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { createQueryEndpoints } from "./endpoints.ts";
import { createEtags } from "./etags.ts";
import { createList } from "./list.ts";
import { createListLines } from "./list-lines.ts";
import { createFeed } from "./feed.ts";
import { createQuery } from "./query.ts";
import { createShedQueries } from "./shed-queries.ts";

const environment = readEnvironment(queryEnvironment);
const observability = createObservability("query", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();

const database = createDataApi(environment, openAhead);
const secret = createKeySecret(environment.KEY_SECRET_ARN);
const cursors = createCursors(secret);
const clock = () => new Date();

const deadLetterReader = createDeadLetterReader(database);
const query = createQuery({ reader: createEventReader(database), deadLetters: deadLetterReader });
const bounds = { maxOfTenant: TENANT_MAX_QUERIES };
const waits = { clock, wait: delay, random: Math.random };
const list = createList({ reader: awaitSlot(createListReader(database, bounds), waits), cursors, clock });
const answerList = createAnswerList({ list, listLines: createListLines({ list, clock }) });
const answerIfChanged = createAnswerIfChanged({
  answerList,
  etagOf: createEtags({ windows: createWindowReader(database), clock }),
});
const shedQueries = createShedQueries({ lag: createLagReader({ client, table: environment.USAGE_TABLE }), clock });
const feed = createFeed({
  reader: createFeedReader(database),
  cursors,
  mark: createStoreMark({ client, table: environment.USAGE_TABLE }),
  clock,
  wait: delay,
});
const deadLetters = createDeadLetters({ reader: deadLetterReader, cursors, clock });
const aggregate = createAggregate({ reader: awaitSlot(createAggregateReader(database, bounds), waits), clock });

/** Reads events. */
export const handler = httpHandler({
  routes: queryRoutes,
  handlers: createQueryEndpoints({ query, answerList, answerIfChanged, feed, aggregate, deadLetters, shedQueries }),
  checkKey: createKeyCheck(environment, { client, metrics, secret }),
  allowedMethods,
  corsOrigins: environment.CORS_ORIGINS,
  limiter: createSharedLimiter(environment, { client, logger, reserve: QUERY_RESERVE }),
  observability,
});
