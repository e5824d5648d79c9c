import { SQSClient } from "@aws-sdk/client-sqs";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createEventStore } from "../adapters/data-api/event-store.ts";
import { connectTable, createDynamoDb } from "../adapters/dynamodb/client.ts";
import { createStoreMarker } from "../adapters/dynamodb/store-mark.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { consumeEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { loggableError } from "../adapters/lambda/loggable-error.ts";
import { openAhead } from "../adapters/lambda/open-connection.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { sqsBatchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { connectQueue } from "../adapters/sqs/connect-queue.ts";
import { createDeadLetterQueue } from "../adapters/sqs/dead-letter-queue.ts";
import { createReceivedMessages } from "../adapters/sqs/received-messages.ts";
import { createStatusMessages } from "../adapters/sqs/status-messages.ts";
import { createWakes } from "../adapters/sqs/wakes.ts";
import { createAskForLedger } from "../core/ask-for-ledger.ts";
import { createConsume } from "./consume.ts";
import { markStores } from "./mark-stores.ts";
import { createStoreMessages } from "./store-messages.ts";

const environment = readEnvironment(consumeEnvironment);
const observability = createObservability("consume", environment);
const { logger } = observability;
const client = new SQSClient();
const tables = createDynamoDb();
const database = createDataApi(environment, openAhead);
const clock = () => new Date();

void connectTable(tables, environment.USAGE_TABLE);
void connectQueue(client, environment.WAKE_QUEUE_URL);

const consume = createConsume({
  storeMessages: createStoreMessages({
    store: createEventStore(database),
    deadLetters: createDeadLetterQueue({ client, queueUrl: environment.DEAD_LETTER_QUEUE_URL, logger }),
    clock,
    tracing: observability.tracing,
  }),
  queue: createReceivedMessages({ client, queueUrl: environment.QUEUE_URL, logger }),
  clock,
  visibilitySeconds: environment.QUEUE_VISIBILITY_SECONDS,
  random: Math.random,
});

const messages = createStatusMessages({ client, queueUrl: environment.STATUS_QUEUE_URL, logger });
const rule = markStores(consume, {
  marker: createStoreMarker({ client: tables, table: environment.USAGE_TABLE }),
  wakes: createWakes({ client, queueUrl: environment.WAKE_QUEUE_URL, logger }),
  ask: createAskForLedger({ messages, clock }),
  messages,
  clock,
  onFailure: (error) => logger.warn("store not marked", { error: loggableError(error) }),
  onUnsent: (what) => logger.warn(`${what} not sent`, { code: "unconfirmed" }),
});

/** The queue's event source: stores batches of events. */
export const handler = sqsBatchHandler({ rule, observability });
