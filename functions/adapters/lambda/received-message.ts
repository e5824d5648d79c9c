import type { SQSRecord } from "aws-lambda";
import { type AttributeName, type ReceivedMessage, toCount } from "../../core/queue-message.ts";

/** Reads a record of Lambda's event. A dead letter among them was moved by SQS itself, which counts as a replay. */
export function toReceivedMessage(record: SQSRecord): ReceivedMessage {
  const { messageId, body, receiptHandle, attributes, messageAttributes } = record;
  const attribute = (name: AttributeName) => messageAttributes[name]?.stringValue;
  const receiveCount = Number(attributes.ApproximateReceiveCount);
  // Only dead letters have a reason: SQS's own move task brings them back as they are.
  const wasDeadLetter = attribute("reason") !== undefined;
  return {
    messageId,
    body,
    receiptHandle,
    receiveCount,
    attempts: (toCount(attribute("earlierAttempts")) ?? 0) + receiveCount,
    replays: (toCount(attribute("replays")) ?? 0) + (wasDeadLetter ? 1 : 0),
    group: attributes.MessageGroupId ?? "default",
    firstSentAt: toCount(attribute("firstSentAt")) ?? Number(attributes.SentTimestamp),
  };
}
