import type { SQSRecord } from "aws-lambda";
import { createObservability } from "../../functions/adapters/lambda/observability.ts";
import { sqsBatchHandler } from "../../functions/adapters/lambda/sqs-batch-handler.ts";
import { createConsume } from "../../functions/consume/consume.ts";
import type { StoreMessages } from "../../functions/consume/store-messages.ts";
import {
  CONSUME_BATCH_MESSAGES,
  CONSUME_MAX_CONCURRENCY,
  CONSUME_TIMEOUT_SECONDS,
} from "../../functions/core/function-limits.ts";
import { QUEUE_VISIBILITY_SECONDS } from "../../functions/core/queue-limits.ts";
import { requeueAttributes } from "../../functions/core/queue-message.ts";
import { contextOf } from "../unit/consume/sqs-records.ts";
import type { SimulatedQueue } from "./simulated-queue.ts";

/** A message with this text in it ends the function that reads it. */
export const POISON = "ends the function";

/** A message with this text in it makes storing throw. */
export const THROWS = "makes storing throw";

/**
 * The consumer behind its event source: the real handler, isolation, redelivery and backoff over a simulated queue, and
 * storing that can be made to fail. Needs `POWERTOOLS_METRICS_DISABLED`, or it prints a line per batch.
 */
export function simulateConsumer(queue: SimulatedQueue, storeMessages: StoreMessages, random: () => number) {
  const counts = { crashes: 0, errors: 0 };
  let crash: () => void;
  const rule = createConsume({
    storeMessages: async (messages, deadline) => {
      if (messages.some(({ body }) => body.includes(THROWS))) throw new TypeError("a bug");
      if (!messages.some(({ body }) => body.includes(POISON))) return await storeMessages(messages, deadline);
      crash();
      return await new Promise(() => undefined);
    },
    queue: {
      async changeVisibility(messages) {
        for (const { receiptHandle, seconds } of messages) queue.changeVisibility(receiptHandle, seconds);
      },
      async delete(messages) {
        for (const { receiptHandle } of messages) queue.delete(receiptHandle);
        return true;
      },
      async requeue(messages) {
        for (const message of messages) {
          const { body, group, seconds } = message;
          queue.send({ body, group, attributes: requeueAttributes(message), delaySeconds: seconds });
          queue.delete(message.receiptHandle);
        }
        return new Set(messages.map(({ messageId }) => messageId));
      },
    },
    clock: () => new Date(),
    visibilitySeconds: QUEUE_VISIBILITY_SECONDS,
    random,
  });
  const observability = {
    ...createObservability("consume", { STAGE: "test", METRICS_NAMESPACE: "Sluice", LOG_LEVEL: "ERROR" as const }),
    metrics: { addMetric() {}, publish() {} },
  };
  const handler = sqsBatchHandler({ rule, observability });

  /** One batch. Where the function ends or fails, the whole batch stays in the queue as it is. */
  async function invoke(records: SQSRecord[]): Promise<void> {
    const died = new Promise<"crashes">((resolve) => {
      crash = () => resolve("crashes");
    });
    const answered = handler({ Records: records }, contextOf(CONSUME_TIMEOUT_SECONDS)).catch(() => "errors" as const);
    const answer = await Promise.race([answered, died]);
    if (typeof answer === "string") {
      counts[answer] += 1;
      return;
    }
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { messageId, receiptHandle } of records) if (!failed.has(messageId)) queue.delete(receiptHandle);
  }

  return {
    counts,
    /** As many batches as run at once, each full if there are enough messages. */
    async poll(): Promise<void> {
      for (let running = 0; running < CONSUME_MAX_CONCURRENCY; running++) {
        const records = queue.receive(CONSUME_BATCH_MESSAGES);
        if (records.length === 0) return;
        await invoke(records);
      }
    },
  };
}
