import type { SQSRecord } from "aws-lambda";
import { createObservability } from "../../functions/adapters/lambda/observability.ts";
import { sqsBatchHandler } from "../../functions/adapters/lambda/sqs-batch-handler.ts";
import { toCopy } from "../../functions/adapters/lambda/received-message.ts";
import { backoffSeconds } from "../../functions/consume/backoff.ts";
import type { BatchRule } from "../../functions/core/batch.ts";
import {
  CONSUME_BATCH_MESSAGES,
  CONSUME_MAX_CONCURRENCY,
  CONSUME_TIMEOUT_SECONDS,
  QUEUE_VISIBILITY_SECONDS,
} from "../../functions/core/limits.ts";
import { contextOf } from "../unit/adapters/sqs-records.ts";
import type { SimulatedQueue } from "./simulated-queue.ts";

/** A message with this text in it ends the function that reads it. */
export const KILLS = "kills the function";

/** A message with this text in it makes the rule throw. */
export const THROWS = "makes the rule throw";

/**
 * The consumer behind its event source: the real chain and the real backoff over a simulated queue, and a rule that can
 * be made to fail. To be made with `POWERTOOLS_METRICS_DISABLED`, or it prints a line per batch.
 */
export function simulateConsumer(queue: SimulatedQueue, rule: BatchRule, random: () => number) {
  const counts = { crashes: 0, errors: 0 };
  let crash: () => void;
  const handler = sqsBatchHandler({
    rule: async (messages, deadline) => {
      if (messages.some(({ body }) => body.includes(THROWS))) throw new TypeError("a bug");
      if (!messages.some(({ body }) => body.includes(KILLS))) return await rule(messages, deadline);
      crash();
      return await new Promise(() => undefined);
    },
    postpone: async (messages) => {
      for (const { receiptHandle, seconds } of messages) queue.changeVisibility(receiptHandle, seconds);
    },
    acknowledge: async (messages) => {
      for (const { receiptHandle } of messages) queue.delete(receiptHandle);
      return true;
    },
    renew: async (messages) => {
      for (const message of messages) {
        queue.send({ ...toCopy(message), delaySeconds: message.seconds });
        queue.delete(message.receiptHandle);
      }
      return new Set(messages.map(({ messageId }) => messageId));
    },
    backoffSeconds,
    visibilitySeconds: QUEUE_VISIBILITY_SECONDS,
    random,
    observability: {
      ...createObservability("consume", { STAGE: "test", METRICS_NAMESPACE: "Sluice", LOG_LEVEL: "ERROR" }),
      metrics: { addMetric() {}, publish() {} },
    },
  });

  /** One batch. Where the function ends or fails, all of it stays in the queue as it is. */
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
    /** As many batches as run at once, each full if there is so much. */
    async poll(): Promise<void> {
      for (let running = 0; running < CONSUME_MAX_CONCURRENCY; running++) {
        const records = queue.receive(CONSUME_BATCH_MESSAGES);
        if (records.length === 0) return;
        await invoke(records);
      }
    },
  };
}
