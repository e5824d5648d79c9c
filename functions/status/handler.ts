import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { SQSClient } from "@aws-sdk/client-sqs";
import { createAlarmReader } from "../adapters/cloudwatch/alarms.ts";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createLedgerReader } from "../adapters/data-api/ledger.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { createHistoryTable } from "../adapters/dynamodb/history-table.ts";
import { createLedgerTable } from "../adapters/dynamodb/ledger-table.ts";
import { createRefusalStore } from "../adapters/dynamodb/refusal-store.ts";
import { createConsumerState, createStoreMarker } from "../adapters/dynamodb/store-mark.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { statusEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { httpOrQueue } from "../adapters/lambda/http-or-queue.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { sqsBatchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { createKeySecret } from "../adapters/secrets-manager/key-secret.ts";
import { createQueueDepths } from "../adapters/sqs/queue-depths.ts";
import { createStatusMessages } from "../adapters/sqs/status-messages.ts";
import { createCursors } from "../core/cursor.ts";
import { QUERY_RESERVE } from "../core/limiter.ts";
import { statusRoutes } from "../routes/status.ts";
import { createReadAlarms } from "./alarms.ts";
import { createCountRefusals } from "./count-refusals.ts";
import { createStatusEndpoints } from "./endpoints.ts";
import { createReadHistory } from "./history.ts";
import { createKeepHistory } from "./keep-history.ts";
import { createListRefusals } from "./refusals.ts";
import { createRunMessages } from "./run-messages.ts";
import { createStatus } from "./status.ts";
import { createTakeLedger } from "./take-ledger.ts";

const environment = readEnvironment(statusEnvironment);
const observability = createObservability("status", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();
const clock = () => new Date();

const sqs = new SQSClient();
const table = createLedgerTable({ client, table: environment.STATUS_TABLE });
const refusals = createRefusalStore({ client, table: environment.STATUS_TABLE });
const history = createHistoryTable({ client, table: environment.STATUS_TABLE });
const consumer = createConsumerState({ client, table: environment.USAGE_TABLE });
const secret = createKeySecret(environment.KEY_SECRET_ARN);
const queues = createQueueDepths({
  client: sqs,
  urls: {
    events: environment.QUEUE_URL,
    deadLetters: environment.DEAD_LETTER_QUEUE_URL,
    wakeUps: environment.WAKE_QUEUE_URL,
    status: environment.STATUS_QUEUE_URL,
  },
});
const { ALARM_TOPIC_ARN: topicArn } = environment;
const alarms = topicArn ? createAlarmReader({ client: new CloudWatchClient(), topicArn }) : undefined;
const { STAGE: stage, VERSION: version, BUILD: build } = environment;

/** Tells the state of the installation, and keeps the numbers for it: snapshots of the ledger, and refusals. */
export const handler = httpOrQueue({
  http: httpHandler({
    routes: statusRoutes,
    handlers: createStatusEndpoints({
      status: createStatus({ table, queues, consumer, clock }),
      readHistory: createReadHistory({ history, table, clock }),
      readAlarms: createReadAlarms({ alarms, clock }),
      listRefusals: createListRefusals({ store: refusals, cursors: createCursors(secret), clock }),
      installation: { stage, version, build },
      clock,
    }),
    checkKey: createKeyCheck(environment, { client, metrics, secret }),
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter: createSharedLimiter(environment, { client, logger, reserve: QUERY_RESERVE }),
    observability,
  }),
  queue: sqsBatchHandler({
    rule: createRunMessages({
      countRefusals: createCountRefusals(refusals, history),
      marker: createStoreMarker({ client, table: environment.USAGE_TABLE }),
      takeLedger: createTakeLedger({
        ledger: createLedgerReader(createDataApi(environment)),
        table,
        queues,
        messages: createStatusMessages({ client: sqs, queueUrl: environment.STATUS_QUEUE_URL, logger }),
        keepHistory: createKeepHistory({ history, consumer }),
        clock,
      }),
      clock,
    }),
    observability,
  }),
});
