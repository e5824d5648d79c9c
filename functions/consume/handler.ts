import { SQSClient } from "@aws-sdk/client-sqs";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createDataApiEventStore } from "../adapters/data-api/event-store.ts";
import { consumeEnvironment, readEnvironment } from "../adapters/lambda/environment.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSqsAcknowledge } from "../adapters/sqs/delete-messages.ts";
import { sqsBatchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { createSqsDeadLetterQueue } from "../adapters/sqs/dead-letter-queue.ts";
import { createSqsRenew } from "../adapters/sqs/requeue-messages.ts";
import { createSqsPostpone } from "../adapters/sqs/change-visibility.ts";
import { backoffSeconds } from "./backoff.ts";
import { createConsume } from "./consume.ts";

const environment = readEnvironment(consumeEnvironment);
const observability = createObservability("consume", environment);
const { logger } = observability;
const client = new SQSClient();

const consume = createConsume({
  store: createDataApiEventStore(createDataApi(environment)),
  deadLetters: createSqsDeadLetterQueue({ client, queueUrl: environment.DEAD_LETTER_QUEUE_URL, logger }),
  clock: () => new Date(),
});
const queue = { client, queueUrl: environment.QUEUE_URL, logger };
const acknowledge = createSqsAcknowledge(queue);

/** The queue's event source: stores batches of events. */
export const handler = sqsBatchHandler({
  rule: consume,
  postpone: createSqsPostpone(queue),
  renew: createSqsRenew({ ...queue, acknowledge }),
  acknowledge,
  backoffSeconds,
  visibilitySeconds: environment.QUEUE_VISIBILITY_SECONDS,
  random: Math.random,
  observability,
});
