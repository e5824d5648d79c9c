import { Agent, type ClientRequest, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Message } from "@aws-sdk/client-sqs";
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

/**
 * The calls of an event source on its queue, by the JSON protocol of SQS. Each has its own rule for attempts. The SDK takes 3 ms of
 * processor time to receive ten messages, half of what this process does under load, and the local queue checks no signature.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
 */
export function createQueueClient(queueUrl: string, endpoint: string): QueueClient {
  const agent = new Agent({ keepAlive: true });
  const call = async (action: string, input: object, signal?: AbortSignal): Promise<Answer> => {
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` };
    const sent = request(endpoint, { method: "POST", agent, headers, ...(signal !== undefined && { signal }) });
    return answerOf(sent.end(JSON.stringify({ QueueUrl: queueUrl, ...input })));
  };

  /** One batch call; returns the messages that were not deleted. */
  const removeOnce = async (messages: Message[]): Promise<Message[]> => {
    const entries = messages.map(({ ReceiptHandle: handle }, index) => ({ Id: String(index), ReceiptHandle: handle }));
    try {
      const { Failed: failed = [] } = await call("DeleteMessageBatch", { Entries: entries });
      return failed.flatMap(({ Id: id }) => messages[Number(id)] ?? []);
    } catch {
      return messages;
    }
  };

  return {
    receive: async (maximum, waitSeconds, hangUp) => {
      const input = {
        MaxNumberOfMessages: Math.min(maximum, MESSAGES_PER_CALL),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      };
      const { Messages: messages = [] } = await call("ReceiveMessage", input, hangUp);
      for (const message of messages) decodeBytes(message);
      return messages;
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
        await call("ChangeMessageVisibilityBatch", { Entries: entries }).catch(() => undefined);
      }
    },
    visibilityMilliseconds: async () => {
      const { Attributes: attributes } = await call("GetQueueAttributes", { AttributeNames: ["VisibilityTimeout"] });
      return Number(attributes?.["VisibilityTimeout"]) * MILLISECONDS_PER_SECOND;
    },
    close: () => agent.destroy(),
  };
}

/** The members of the answers that the calls read. */
type Answer = { Messages?: Message[]; Failed?: { Id: string }[]; Attributes?: Record<string, string> };

/** The answer of a call. @throws Error for any status but 200 */
function answerOf(sent: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode !== 200) return reject(new Error(`SQS answered ${response.statusCode}: ${text}`));
        try {
          resolve(JSON.parse(text) as Answer);
        } catch (cause) {
          reject(new Error("SQS answered no JSON.", { cause }));
        }
      });
    });
  });
}

/** The JSON protocol has bytes as base64. */
function decodeBytes({ MessageAttributes: attributes = {} }: Message): void {
  for (const attribute of Object.values(attributes)) {
    const text = attribute.BinaryValue as string | undefined;
    if (text !== undefined) attribute.BinaryValue = Buffer.from(text, "base64");
  }
}

function chunks(messages: readonly Message[]): Message[][] {
  const count = Math.ceil(messages.length / MESSAGES_PER_CALL);
  return Array.from({ length: count }, (_, index) =>
    messages.slice(index * MESSAGES_PER_CALL, (index + 1) * MESSAGES_PER_CALL),
  );
}
