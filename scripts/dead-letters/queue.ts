import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { forEachConcurrently } from "../../functions/core/for-each-concurrently.ts";
import { intoBatchesOfTen } from "../../functions/core/queue-message.ts";
import { callBatch } from "../call-batch.ts";

export type Queue = { client: SQSClient; url: string };

/** Calls at a time. A call carries at most ten messages, so this decides how fast a full queue is read. */
export const CONNECTIONS = 8;

/** Makes received messages visible to other readers, by their receipt handles. A visible message is no error. */
export async function makeVisible({ client, url }: Queue, handles: Iterable<string>): Promise<void> {
  await forEachConcurrently(intoBatchesOfTen([...handles]), CONNECTIONS, async (batch) => {
    await callBatch(batch, (entries) =>
      client.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: url,
          Entries: entries.map(({ Id, item }) => ({ Id, ReceiptHandle: item, VisibilityTimeout: 0 })),
        }),
      ),
    );
  });
}

/** Deletes messages by their receipt handles. Returns the handles that SQS refused, each with the reason. */
export async function deleteMessages({ client, url }: Queue, handles: string[]): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  await forEachConcurrently(intoBatchesOfTen(handles), CONNECTIONS, async (batch) => {
    const failed = await callBatch(batch, (entries) =>
      client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: url,
          Entries: entries.map(({ Id, item }) => ({ Id, ReceiptHandle: item })),
        }),
      ),
    );
    for (const [handle, why] of failed) failures.set(handle, why);
  });
  return failures;
}

/** Identifies a queue however its URL is spelt. @throws Error when the queue does not exist */
export async function queueArn({ client, url }: Queue): Promise<string | undefined> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] });
  return (await client.send(command)).Attributes?.QueueArn;
}

export type MessageCounts = { visible: number; hidden: number };

/** Counts the visible messages and those that a reader has received; SQS counts approximately. */
export async function countMessages({ client, url }: Queue): Promise<MessageCounts> {
  const { Attributes: counts } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    }),
  );
  return {
    visible: Number(counts?.ApproximateNumberOfMessages ?? 0),
    hidden: Number(counts?.ApproximateNumberOfMessagesNotVisible ?? 0),
  };
}
