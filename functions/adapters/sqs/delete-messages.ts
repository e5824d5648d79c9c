import { DeleteMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Acknowledge } from "../../core/ports.ts";
import type { Logger } from "../lambda/logger.ts";
import { inBatchCalls } from "./batch-calls.ts";

/**
 * Deletes messages before the function answers for them. One that SQS does not delete comes again; so may one that it
 * did delete.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
 */
export function createSqsAcknowledge(options: { client: SQSClient; queueUrl: string; logger: Logger }): Acknowledge {
  const { client, queueUrl, logger } = options;
  return (messages, deadline) =>
    inBatchCalls(
      messages,
      (batch, options) => {
        const Entries = batch.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
        return client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }), options);
      },
      { deadline, logger, failure: "message not deleted" },
    );
}
