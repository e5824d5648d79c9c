import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { intoSendBatches, type OutgoingMessage, toSendEntry } from "../../functions/core/queue-message.ts";
import { callBatch } from "../call-batch.ts";
import type { Queue } from "../dead-letters/queue.ts";

/** Sends messages in as few calls as SQS allows. Returns the messages that SQS refused, each with the reason. */
export async function sendMessages(
  { client, url }: Queue,
  messages: OutgoingMessage[],
): Promise<Map<OutgoingMessage, string>> {
  const failures = new Map<OutgoingMessage, string>();
  for (const batch of intoSendBatches(messages)) {
    const failed = await callBatch(batch, (entries) =>
      client.send(
        new SendMessageBatchCommand({
          QueueUrl: url,
          Entries: entries.map(({ Id, item }) => toSendEntry(item, Id)),
        }),
      ),
    );
    for (const [message, why] of failed) failures.set(message, why);
  }
  return failures;
}
