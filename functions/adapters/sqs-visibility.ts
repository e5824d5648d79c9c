import { ChangeMessageVisibilityBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Logger } from "./logger.ts";
import { inBatchCalls } from "./sqs-batch-call.ts";

/** Lets received messages come back after the given seconds. Never throws. */
export type Postpone = (messages: { receiptHandle: string; seconds: number }[], deadline: number) => Promise<unknown>;

/**
 * Sets the visibility of messages that failed. A call that fails is only logged: the message then comes back after the
 * queue's own visibility timeout, later but safe.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
 */
export function createSqsPostpone(options: { client: SQSClient; queueUrl: string; logger: Logger }): Postpone {
  const { client, queueUrl, logger } = options;
  return (messages, deadline) =>
    inBatchCalls(
      messages,
      (batch, options) => {
        const Entries = batch.map(({ receiptHandle, seconds }, index) => ({
          Id: String(index),
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }));
        return client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }), options);
      },
      { deadline, logger, failure: "visibility not changed" },
    );
}
