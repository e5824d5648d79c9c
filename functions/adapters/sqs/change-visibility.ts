import { ChangeMessageVisibilityBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Postpone } from "../../core/ports.ts";
import type { Logger } from "../lambda/logger.ts";
import { inBatchCalls } from "./batch-calls.ts";

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
