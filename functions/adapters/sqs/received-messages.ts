import { ChangeMessageVisibilityBatchCommand, DeleteMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { REQUEUE_CALLS_IN_FLIGHT, SQS_CALL_MS } from "../../core/queue-limits.ts";
import { forEachConcurrently } from "../../core/for-each-concurrently.ts";
import type { ReceivedMessages } from "../../core/ports.ts";
import {
  copyAttributes,
  fitAttributes,
  intoBatchesOfTen,
  type MessageAttributes,
  type ReceivedDeadLetter,
  type ReceivedMessage,
  requeueAttributes,
} from "../../core/queue-message.ts";
import type { Logger } from "../lambda/logger.ts";
import { batchCalls } from "./batch-calls.ts";
import { sendMessages } from "./send-messages.ts";

type Options = { client: SQSClient; queueUrl: string; logger: Logger };

/** The members of every received message. */
type Received = { messageId: string; body: string; receiptHandle: string; group: string | undefined };
type AttributesOf<Message> = (message: Message) => MessageAttributes;

/** Deletes, delays and requeues the messages that a function received from a queue of SQS. */
export function createReceivedMessages(queue: Options): ReceivedMessages {
  return receivedMessages<ReceivedMessage>(queue, requeueAttributes);
}

/** The same for those of the dead-letter queue, whose copies keep all that they say of themselves. */
export function createReceivedDeadLetters(queue: Options): ReceivedMessages<ReceivedDeadLetter> {
  return receivedMessages<ReceivedDeadLetter>(queue, copyAttributes);
}

function receivedMessages<Message extends Received>(
  queue: Options,
  attributesOf: AttributesOf<Message>,
): ReceivedMessages<Message> {
  return {
    delete: (messages, deadline) => deleteMessages(queue, messages, deadline),
    changeVisibility: (messages, deadline) => changeVisibility(queue, messages, deadline),
    requeue: (messages, deadline) => requeue(queue, attributesOf, messages, deadline),
  };
}

/**
 * Deletes messages. SQS may deliver even a deleted message again.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
 */
function deleteMessages(
  { client, queueUrl, logger }: Options,
  ...[messages, deadline]: Parameters<ReceivedMessages["delete"]>
): Promise<boolean> {
  return batchCalls(
    messages,
    (batch, options) => {
      const Entries = batch.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
      return client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }), options);
    },
    { deadline, logger, failure: "message not deleted" },
  );
}

/**
 * A call that fails is only logged: its messages are delivered after the queue's visibility timeout, later but safe.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
 */
async function changeVisibility(
  { client, queueUrl, logger }: Options,
  ...[messages, deadline]: Parameters<ReceivedMessages["changeVisibility"]>
): Promise<void> {
  await batchCalls(
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

/**
 * Copies messages and deletes each original at once, so that the deletion does not depend on the function's answer. The
 * first ten go alone: where SQS accepts copies but deletes no originals, an invocation leaves ten messages too many, not a
 * thousand. No call is begun without its time: a copy whose confirmation comes too late would be a message too many.
 */
async function requeue<Message extends Received>(
  queue: Options,
  attributesOf: AttributesOf<Message>,
  ...[messages, deadline]: Parameters<ReceivedMessages<Message>["requeue"]>
): Promise<Set<string>> {
  const requeued = new Set<string>();
  const requeueTen = async (ten: typeof messages): Promise<boolean> => {
    const copies = ten.map((message) => ({
      body: message.body,
      ...(message.group !== undefined && { group: message.group }),
      attributes: fitAttributes(message.body, attributesOf(message)),
      delaySeconds: message.seconds,
    }));
    const outcomes = await sendMessages(queue.client, { ...queue, messages: copies, deadline });
    const copied = ten.filter((_, index) => outcomes[index] === "enqueued");
    for (const { messageId } of copied) requeued.add(messageId);
    return copied.length > 0 && (await deleteMessages(queue, copied, deadline));
  };
  const [first = [], ...rest] = intoBatchesOfTen(messages);
  if (!(await requeueTen(first))) return requeued;
  await forEachConcurrently(rest, REQUEUE_CALLS_IN_FLIGHT, async (ten) => {
    if (Date.now() + SQS_CALL_MS <= deadline) await requeueTen(ten);
  });
  return requeued;
}
