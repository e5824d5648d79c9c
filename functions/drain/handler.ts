import { SQSClient } from "@aws-sdk/client-sqs";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createDeadLetterStore } from "../adapters/data-api/dead-letter-store.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { drainEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { openAhead } from "../adapters/lambda/open-connection.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { toReceivedDeadLetter } from "../adapters/lambda/received-message.ts";
import { batchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { createReceivedDeadLetters } from "../adapters/sqs/received-messages.ts";
import { createStatusMessages } from "../adapters/sqs/status-messages.ts";
import { askBehindBatch, changesDeadLetters } from "../core/ask-behind-batch.ts";
import { createAskForLedger } from "../core/ask-for-ledger.ts";
import { createDrain } from "./drain.ts";

const environment = readEnvironment(drainEnvironment);
const observability = createObservability("drain", environment);
const { logger } = observability;
const client = new SQSClient();
const database = createDataApi(environment, openAhead);
const clock = () => new Date();

const drain = createDrain({
  store: createDeadLetterStore(database),
  queue: createReceivedDeadLetters({ client, queueUrl: environment.DEAD_LETTER_QUEUE_URL, logger }),
  clock,
  random: Math.random,
});

const rule = askBehindBatch(drain, {
  ask: createAskForLedger({
    messages: createStatusMessages({ client, queueUrl: environment.STATUS_QUEUE_URL, logger }),
    clock,
  }),
  clock,
  isChange: changesDeadLetters,
  onUnsent: () => logger.warn("snapshot not sent", { code: "unconfirmed" }),
});

/** The dead-letter queue's event source: moves its messages into the table of dead letters. */
export const handler = batchHandler({ rule, read: toReceivedDeadLetter, observability });
