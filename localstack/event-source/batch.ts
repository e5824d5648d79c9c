import type { Message } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";

/**
 * A batch closes at 6 MB including metadata, the quota of an invocation's payload.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, gettingstarted-limits.html
 */
export const MAXIMUM_PAYLOAD_BYTES = 6 * 1024 * 1024;

const ENVELOPE_BYTES = Buffer.byteLength('{"Records":[]}');

/** The messages of one invocation while they are collected. */
export type Batch = {
  readonly messages: readonly Message[];
  /** Time of the first receive in milliseconds; the window and the visibility timeout count from it. */
  readonly startedAt: number | undefined;
  /** Returns false, without adding the message, if it would make the payload too large. */
  add: (message: Message, now: number) => boolean;
  isFull: () => boolean;
  room: () => number;
  payload: () => string;
};

export function createBatch(batchSize: number, record: (message: Message) => SQSRecord): Batch {
  const messages: Message[] = [];
  const records: string[] = [];
  let bytes = ENVELOPE_BYTES;
  let startedAt: number | undefined;
  return {
    messages,
    get startedAt() {
      return startedAt;
    },
    add: (message, now) => {
      const text = JSON.stringify(record(message));
      const size = Buffer.byteLength(text) + (records.length === 0 ? 0 : ",".length);
      if (records.length > 0 && bytes + size > MAXIMUM_PAYLOAD_BYTES) return false;
      startedAt ??= now;
      bytes += size;
      messages.push(message);
      records.push(text);
      return true;
    },
    isFull: () => messages.length >= batchSize,
    room: () => batchSize - messages.length,
    payload: () => `{"Records":[${records.join(",")}]}`,
  };
}
