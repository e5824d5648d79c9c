import type { SQSRecord } from "aws-lambda";
import { DEFAULT_TENANT } from "../../core/principal.ts";
import {
  isAttributeName,
  type MessageAttributes,
  readAttributes,
  type ReceivedDeadLetter,
  type ReceivedMessage,
} from "../../core/queue-message.ts";

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

/** Reads a record of the dead-letter queue, whoever has sent it. */
export function toReceivedDeadLetter(record: SQSRecord): ReceivedDeadLetter {
  const { messageId, body, receiptHandle, attributes: system } = record;
  return {
    messageId,
    body,
    receiptHandle,
    receiveCount: Number(system.ApproximateReceiveCount),
    sentAt: Number(system.SentTimestamp),
    group: system.MessageGroupId,
    attributes: attributesOf(record),
  };
}

function attributesOf({ messageAttributes }: SQSRecord): MessageAttributes {
  const texts = Object.entries(messageAttributes).flatMap(([name, { stringValue }]) =>
    isAttributeName(name) && stringValue !== undefined ? [[name, stringValue]] : [],
  );
  return Object.fromEntries(texts) as MessageAttributes;
}
