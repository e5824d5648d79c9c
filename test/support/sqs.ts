import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { QueueModel } from "../../localstack/template/model.ts";
import { LOCAL_AWS } from "./local-aws.ts";

/** A queue as the template would describe it. */
export function queueModel(changes: Partial<QueueModel> = {}): QueueModel {
  const name = changes.name ?? "events";
  return {
    logicalId: name,
    name,
    arn: arnOf(name),
    visibilityTimeoutSeconds: 30,
    messageRetentionSeconds: 345_600,
    maximumMessageSizeBytes: undefined,
    receiveWaitSeconds: 0,
    delaySeconds: 0,
    redrive: undefined,
    ...changes,
  };
}

export function arnOf(queueName: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${queueName}`;
}

/** Repeats no call, so that a test sees every failure. */
export function sqsClient(endpoint: string): SQSClient {
  return new SQSClient({ ...LOCAL_AWS, endpoint, maxAttempts: 1 });
}

type ReceiveOptions = {
  /** Seconds; undefined = the queue's own visibility timeout. */
  visibilityTimeout?: number;
  /** Seconds that SQS waits for a message where there is none. */
  wait?: number;
};

/** Up to ten visible messages with all their attributes. */
export async function receive(
  client: SQSClient,
  QueueUrl: string,
  { visibilityTimeout, wait }: ReceiveOptions = {},
): Promise<Message[]> {
  const { Messages: messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: visibilityTimeout,
      WaitTimeSeconds: wait,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["All"],
    }),
  );
  return messages;
}

/** All visible messages, which stay hidden afterwards. */
export async function receiveAll(client: SQSClient, queueUrl: string, options?: ReceiveOptions): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const messages = await receive(client, queueUrl, options);
    if (messages.length === 0) return all;
    all.push(...messages);
  }
}

/** All visible messages, which can be received again afterwards. */
export async function peekAll(client: SQSClient, queueUrl: string, options?: ReceiveOptions): Promise<Message[]> {
  const all = await receiveAll(client, queueUrl, { visibilityTimeout: 60, ...options });
  await release(client, queueUrl, all);
  return all;
}

/** Makes received messages visible again. */
async function release(client: SQSClient, QueueUrl: string, messages: readonly Message[]): Promise<void> {
  for (let from = 0; from < messages.length; from += 10) {
    const Entries = messages
      .slice(from, from + 10)
      .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
    await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
  }
}

/** Receives and deletes all visible messages. */
export async function drain(client: SQSClient, QueueUrl: string): Promise<Message[]> {
  const drained: Message[] = [];
  for (;;) {
    const messages = await receive(client, QueueUrl);
    if (messages.length === 0) return drained;
    drained.push(...messages);
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

export type QueueCounts = { visible: number; hidden: number; delayed: number };

export async function queueCounts(client: SQSClient, QueueUrl: string): Promise<QueueCounts> {
  const { Attributes: found } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
      ],
    }),
  );
  return {
    visible: Number(found?.ApproximateNumberOfMessages),
    hidden: Number(found?.ApproximateNumberOfMessagesNotVisible),
    delayed: Number(found?.ApproximateNumberOfMessagesDelayed),
  };
}

/** Messages in a queue, whether visible, hidden or delayed. */
export async function queueDepth(client: SQSClient, queueUrl: string): Promise<number> {
  const { visible, hidden, delayed } = await queueCounts(client, queueUrl);
  return visible + hidden + delayed;
}
