import { SQSClient } from "@aws-sdk/client-sqs";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { readEnvironment, statusEnvironment } from "../adapters/lambda/environment.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { httpOrQueue } from "../adapters/lambda/http-or-queue.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { sqsBatchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { createQueueDepths } from "../adapters/sqs/queue-depths.ts";
import { QUERY_RESERVE } from "../core/limiter.ts";
import { statusRoutes } from "../routes/status.ts";
import { createStatusEndpoints } from "./endpoints.ts";
import { createRunMessages } from "./run-messages.ts";
import { createStatus } from "./status.ts";

const environment = readEnvironment(statusEnvironment);
const observability = createObservability("status", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();
const clock = () => new Date();

const queues = createQueueDepths({
  client: new SQSClient(),
  urls: {
    events: environment.QUEUE_URL,
    deadLetters: environment.DEAD_LETTER_QUEUE_URL,
    wakeUps: environment.WAKE_QUEUE_URL,
    status: environment.STATUS_QUEUE_URL,
  },
});
const { STAGE: stage, VERSION: version, BUILD: build } = environment;

/** Tells the state of the installation, and keeps the numbers for it: snapshots of the ledger. */
export const handler = httpOrQueue({
  http: httpHandler({
    routes: statusRoutes,
    handlers: createStatusEndpoints({
      status: createStatus({ queues, clock, installation: { stage, version, build } }),
      clock,
    }),
    checkKey: createKeyCheck(environment, { client, metrics }),
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter: createSharedLimiter(environment, { client, logger, reserve: QUERY_RESERVE }),
    observability,
  }),
  queue: sqsBatchHandler({ rule: createRunMessages(), observability }),
});
