import { setTimeout as wait } from "node:timers/promises";
import { SQSClient } from "@aws-sdk/client-sqs";
import { v7 as uuidv7 } from "uuid";
import { catalog } from "../adapters/catalog/catalog.ts";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createJobStarts } from "../adapters/data-api/job-starts.ts";
import { createReplayJobs } from "../adapters/data-api/replay-jobs.ts";
import { createReplayWork } from "../adapters/data-api/replay-work.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { createAccessReader } from "../adapters/dynamodb/access-reader.ts";
import { createAuditLog } from "../adapters/dynamodb/audit-log.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { replayEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { httpOrQueue } from "../adapters/lambda/http-or-queue.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { openAhead } from "../adapters/lambda/open-connection.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { sqsBatchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { createEventQueue } from "../adapters/sqs/event-queue.ts";
import { createReplaySteps } from "../adapters/sqs/replay-steps.ts";
import { createStatusMessages } from "../adapters/sqs/status-messages.ts";
import { askBehindBatch, changesDeadLetters } from "../core/ask-behind-batch.ts";
import { createAskForLedger } from "../core/ask-for-ledger.ts";
import { QUERY_RESERVE } from "../core/limiter.ts";
import { createWorkCheck } from "../core/work-allowed.ts";
import { replayRoutes } from "../routes/replay.ts";
import { createReplayEndpoints } from "./endpoints.ts";
import { createReplay } from "./replay.ts";
import { createRunSteps } from "./run-steps.ts";
import { createReplayStep } from "./step.ts";

const environment = readEnvironment(replayEnvironment);
const observability = createObservability("replay", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();
const clock = () => new Date();

const database = createDataApi(environment, openAhead);
const sqs = new SQSClient();
const steps = createReplaySteps({ client: sqs, queueUrl: environment.STEPS_QUEUE_URL, logger });
const audit = createAuditLog({ client, table: environment.AUDIT_TABLE });
const whyEnded = createWorkCheck({ reader: createAccessReader({ client, table: environment.ACCESS_TABLE }), clock });
const queueOf = (to = environment.QUEUE_URL) => createEventQueue({ client: sqs, queueUrl: to, logger });
const newId = () => `rpl_${uuidv7().replaceAll("-", "")}`;
const checks = {
  catalog,
  unknownTypes: environment.UNKNOWN_TYPES,
  unknownVersions: environment.UNKNOWN_VERSIONS,
};

const runSteps = askBehindBatch(
  createRunSteps(createReplayStep({ work: createReplayWork(database), steps, queueOf, whyEnded, clock, wait })),
  {
    ask: createAskForLedger({
      messages: createStatusMessages({ client: sqs, queueUrl: environment.STATUS_QUEUE_URL, logger }),
      clock,
    }),
    clock,
    isChange: changesDeadLetters,
    onUnsent: () => logger.warn("snapshot not sent", { code: "unconfirmed" }),
  },
);

/** Starts replays and discards and answers for them; and works on them, one step a message. */
export const handler = httpOrQueue({
  http: httpHandler({
    routes: replayRoutes,
    handlers: createReplayEndpoints({
      replays: createReplay({
        jobs: createReplayJobs(database),
        starts: createJobStarts(database),
        steps,
        audit,
        clock,
        newId,
        checks,
        queues: environment.REPLAY_QUEUE_URLS,
      }),
      clock,
    }),
    checkKey: createKeyCheck(environment, { client, metrics }),
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter: createSharedLimiter(environment, { client, logger, reserve: QUERY_RESERVE }),
    observability,
  }),
  queue: sqsBatchHandler({
    rule: runSteps,
    observability,
  }),
});
