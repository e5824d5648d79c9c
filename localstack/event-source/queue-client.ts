import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { setTimeout as delay } from "node:timers/promises";
import { localClient } from "../../cli/local-client.ts";
import { backoffMilliseconds } from "./backoff.ts";

/** The most messages that SQS returns at once, or accepts in a batch call. */
const MESSAGES_PER_CALL = 10;

/** With the waits of `backoff.ts`, about eleven seconds: a queue that restarts answers again by then. */
const DELETE_ATTEMPTS = 8;
const MILLISECONDS_PER_SECOND = 1000;

export type QueueClient = {
  /** Rejects with an AbortError when `hangUp` fires; messages under way are delivered again after their visibility timeout. */
  receive: (maximum: number, waitSeconds: number, hangUp: AbortSignal) => Promise<Message[]>;
  /** Deletes messages, and returns the number of those that could not be deleted. Never rejects. */
  remove: (messages: readonly Message[], stopping: AbortSignal) => Promise<number>;
  /** Makes messages visible at once. Never rejects: after a failure they are visible after their visibility timeout. */
  release: (messages: readonly Message[]) => Promise<void>;
  visibilityMilliseconds: () => Promise<number>;
  close: () => void;
};

/** The calls of an event source on its queue. The SDK's retries are off, because each call here has another rule. */
export function createQueueClient(queueUrl: string, endpoint: string, region: string): QueueClient {
  const client = new SQSClient(localClient({ endpoint, region, maxAttempts: 1 }));

  /** One batch call; returns the messages that were not deleted. */
  const removeOnce = async (messages: Message[]): Promise<Message[]> => {
    const entries = messages.map(({ ReceiptHandle: handle }, index) => ({ Id: String(index), ReceiptHandle: handle }));
    try {
      const { Failed: failed = [] } = await client.send(
        new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }),
      );
      return failed.flatMap(({ Id: id }) => messages[Number(id)] ?? []);
    } catch {
      return messages;
    }
  };

  return {
    receive: async (maximum, waitSeconds, abortSignal) => {
      const command = new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(maximum, MESSAGES_PER_CALL),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      });
      return (await client.send(command, { abortSignal })).Messages ?? [];
    },
    remove: async (messages, stopping) => {
      let left = 0;
      for (const chunk of chunks(messages)) {
        let rest = await removeOnce(chunk);
        for (let attempt = 1; rest.length > 0 && attempt < DELETE_ATTEMPTS && !stopping.aborted; attempt += 1) {
          await delay(backoffMilliseconds(attempt), undefined, { signal: stopping }).catch(() => undefined);
          rest = await removeOnce(rest);
        }
        left += rest.length;
      }
      return left;
    },
    release: async (messages) => {
      for (const chunk of chunks(messages)) {
        const entries = chunk.map(({ ReceiptHandle: handle }, index) => ({
          Id: String(index),
          ReceiptHandle: handle,
          VisibilityTimeout: 0,
        }));
        const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: entries });
        await client.send(command).catch(() => undefined);
      }
    },
    visibilityMilliseconds: async () => {
      const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["VisibilityTimeout"] });
      const { Attributes: attributes } = await client.send(command);
      return Number(attributes?.VisibilityTimeout) * MILLISECONDS_PER_SECOND;
    },
    close: () => client.destroy(),
  };
}

function chunks(messages: readonly Message[]): Message[][] {
  const count = Math.ceil(messages.length / MESSAGES_PER_CALL);
  return Array.from({ length: count }, (_, index) =>
    messages.slice(index * MESSAGES_PER_CALL, (index + 1) * MESSAGES_PER_CALL),
  );
}
