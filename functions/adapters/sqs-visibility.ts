import type { Logger } from "@aws-lambda-powertools/logger";
import { ChangeMessageVisibilityBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { SEND_BATCH_MAX_ENTRIES } from "../core/limits.ts";

/** Lets received messages come back after the given seconds. */
export type Postpone = (messages: { receiptHandle: string; seconds: number }[], deadline: number) => Promise<void>;

/**
 * Sets the visibility of messages that failed. A call that fails is only logged: the message then comes back after the
 * queue's own visibility timeout, later but safe.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
 */
export function createSqsPostpone({ queueUrl, logger }: { queueUrl: string; logger: Logger }): Postpone {
  const client = new SQSClient();
  return async (messages, deadline) => {
    const batches = Array.from({ length: Math.ceil(messages.length / SEND_BATCH_MAX_ENTRIES) }, (_, i) =>
      messages.slice(i * SEND_BATCH_MAX_ENTRIES, (i + 1) * SEND_BATCH_MAX_ENTRIES),
    );
    await Promise.all(
      batches.map(async (batch) => {
        const Entries = batch.map(({ receiptHandle, seconds }, index) => ({
          Id: String(index),
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }));
        const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries });
        try {
          const answer = await client.send(command, {
            abortSignal: AbortSignal.timeout(Math.max(deadline - Date.now(), 1)),
          });
          for (const failed of answer.Failed ?? []) logger.warn("visibility not changed", { code: failed.Code });
        } catch (error) {
          logger.warn("visibility not changed", { code: error instanceof Error ? error.name : "unknown" });
        }
      }),
    );
  };
}
