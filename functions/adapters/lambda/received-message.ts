import type { SQSRecord } from "aws-lambda";
import { DEFAULT_TENANT } from "../../core/principal.ts";
import { type MessageAttributes, readAttributes, type ReceivedMessage } from "../../core/queue-message.ts";

/** Reads a record of Lambda's event. A dead letter among them was moved by SQS itself, which counts as a replay. */
export function toReceivedMessage(record: SQSRecord): ReceivedMessage {
  const { messageId, body, receiptHandle, attributes: system } = record;
  const receiveCount = Number(system.ApproximateReceiveCount);
  const { isDeadLetter, replays, ...history } = readAttributes(attributesOf(record), {
    receiveCount,
    sentAt: Number(system.SentTimestamp),
  });
  return {
    messageId,
    body,
    receiptHandle,
    receiveCount,
    ...history,
    replays: isDeadLetter ? replays + 1 : replays,
    group: system.MessageGroupId ?? DEFAULT_TENANT,
  };
}

function attributesOf({ messageAttributes }: SQSRecord): MessageAttributes {
  return Object.fromEntries(Object.entries(messageAttributes).map(([name, { stringValue }]) => [name, stringValue]));
}
