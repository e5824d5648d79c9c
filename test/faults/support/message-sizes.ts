import { textOfMessage } from "../../../functions/core/message-text.ts";
import { MESSAGE_MAX_BYTES, SEND_BATCH_MAX_BYTES } from "../../../functions/core/queue-limits.ts";
import type { FaultStack } from "./fault-stack.ts";

/** Bytes of what is sent to any queue. */
export type MessageSizes = {
  /** Of the text of the largest message that ingest sent, and of the largest call. */
  fullest: number;
  /** Messages of ingest that it compressed, and that it left plain. */
  compressed: number;
  plain: number;
  fullestCall: number;
  /** Messages with attributes, as copies and dead letters have them. */
  attributed: number;
  /** Of messages and calls that are larger than SQS takes. */
  oversize: number[];
};

/** Watches every message, attributes included, until the case is healed. */
export function watchSizes(stack: FaultStack): MessageSizes {
  const seen: MessageSizes = { fullest: 0, compressed: 0, plain: 0, fullestCall: 0, attributed: 0, oversize: [] };
  stack.sqs.onCall = ({ action, entries }) => {
    if (action !== "SendMessageBatch") return;
    const sizes = entries.map(({ MessageBody: body = "", MessageAttributes: attributes = {} }) => {
      const texts = Object.entries(attributes).map(([name, its]) => name + its.DataType + (its.StringValue ?? ""));
      if (texts.length > 0) seen.attributed += 1;
      else {
        const { text } = textOfMessage(body);
        seen.fullest = Math.max(seen.fullest, Buffer.byteLength(text));
        seen[text === body ? "plain" : "compressed"] += 1;
      }
      return Buffer.byteLength(body + texts.join(""));
    });
    const call = sizes.reduce((sum, bytes) => sum + bytes, 0);
    seen.fullestCall = Math.max(seen.fullestCall, call);
    seen.oversize.push(...sizes.filter((bytes) => bytes > MESSAGE_MAX_BYTES));
    if (call > SEND_BATCH_MAX_BYTES) seen.oversize.push(call);
  };
  return seen;
}
