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
import { memoryReceivedMessages } from "../support/memory-received-messages.ts";
import type { SimulatedQueue } from "../support/simulated-queue.ts";
import { contextOf } from "../support/sqs-records.ts";

/** A message with this text in it ends the function that reads it. */
export const POISON = "ends the function";

/** A message with this text in it makes storing throw. */
export const THROWS = "makes storing throw";

/**
 * The consumer behind its event source: the real handler, isolation, redelivery and backoff over a simulated queue, and
 * storing that can be made to fail.
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
    queue: memoryReceivedMessages(queue),
    clock: () => new Date(),
    visibilitySeconds: QUEUE_VISIBILITY_SECONDS,
    random,
  });
  const observability = {
    ...createObservability("consume", { STAGE: "test", METRICS_NAMESPACE: "Sluice", LOG_LEVEL: "ERROR" as const }),
    metrics: { addMetric() {}, take: () => undefined, publish() {} },
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
