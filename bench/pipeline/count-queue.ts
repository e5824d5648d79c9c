import type { Exchange } from "./front.ts";
import type { Operations, QueueCalls } from "./operations.ts";

/** A receive without messages, which is billed like any call. */
export const EMPTY_RECEIVE = "ReceiveMessage, empty";

/**
 * Counts a call of the SQS JSON protocol. Of the queue of `status` it counts no messages: at most one a minute asks for a snapshot, at a
 * time of its own.
 */
export function countQueueCall(queue: Operations["queue"], { headers, request, response }: Exchange): void {
  const called = String(headers["x-amz-target"]).replace("AmazonSQS.", "");
  const messages = messagesIn(called, request, response);
  const action = called === "ReceiveMessage" && messages.length === 0 ? EMPTY_RECEIVE : called;
  const counted: QueueCalls = (queue[action] ??= { calls: 0, chunks: 0, groupedChunks: 0, messages: 0 });
  const chunks = chunksOf(messages.reduce((sum, message) => sum + sizeOf(message), 0));
  counted.calls += 1;
  counted.chunks += chunks;
  if (messages.some(({ MessageGroupId: group }) => group !== undefined)) counted.groupedChunks += chunks;
  if (!isOfStatus(request)) counted.messages += messages.length;
}

/**
 * SQS bills a call once for each 64 KB of its payload, and at least once; a batch call is one call.
 * @see https://aws.amazon.com/sqs/pricing/
 */
function chunksOf(payloadBytes: number): number {
  return Math.max(1, Math.ceil(payloadBytes / CHUNK_BYTES));
}

const CHUNK_BYTES = 64 * 1024;

/** A message of any call; without a body its size is 0. */
type Message = {
  MessageBody?: string;
  Body?: string;
  MessageGroupId?: string;
  MessageAttributes?: Record<string, { DataType?: string; StringValue?: string }>;
};

function messagesIn(action: string, request: Buffer, response: Buffer): Message[] {
  switch (action) {
    case "SendMessage":
      return [parse(request) as Message];
    case "SendMessageBatch":
    case "DeleteMessageBatch":
    case "ChangeMessageVisibilityBatch":
      return (parse(request) as { Entries?: Message[] }).Entries ?? [];
    case "ReceiveMessage":
      return (parse(response) as { Messages?: Message[] }).Messages ?? [];
    case "DeleteMessage":
    case "ChangeMessageVisibility":
      return [{}];
    default:
      return [];
  }
}

const isOfStatus = (request: Buffer): boolean =>
  /Status/.test((parse(request) as { QueueUrl?: string }).QueueUrl?.split("/").at(-1) ?? "");

function sizeOf({ MessageBody: sent, Body: received, MessageAttributes: attributes = {} }: Message): number {
  const body = Buffer.byteLength(sent ?? received ?? "");
  return Object.entries(attributes).reduce(
    (sum, [name, { DataType: type = "", StringValue: value = "" }]) =>
      sum + Buffer.byteLength(name) + Buffer.byteLength(type) + Buffer.byteLength(value),
    body,
  );
}

function parse(json: Buffer): unknown {
  return JSON.parse(json.toString("utf8"));
}
