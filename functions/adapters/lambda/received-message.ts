import type { SQSRecord } from "aws-lambda";
import type { ReceivedMessage } from "../../core/batch.ts";
import { fitAttributes, type SqsMessage } from "../sqs/send-messages.ts";

/** Reads a record of Lambda's event; its attributes may be anybody's, and what is no number counts as absent. */
export function toReceivedMessage({
  messageId,
  body,
  receiptHandle,
  attributes,
  messageAttributes,
}: SQSRecord): ReceivedMessage {
  const number = (name: string) => {
    const text = messageAttributes[name]?.stringValue ?? "";
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  const receiveCount = Number(attributes.ApproximateReceiveCount);
  // Only dead letters have a reason: SQS's own move task brings them back as they are.
  const wasDeadLetter = messageAttributes["reason"] !== undefined;
  return {
    messageId,
    body,
    receiptHandle,
    receiveCount,
    attempts: (number("failures") ?? 0) + receiveCount,
    replays: (number("replays") ?? 0) + (wasDeadLetter ? 1 : 0),
    group: attributes.MessageGroupId ?? "default",
    sentAt: number("sentAt") ?? Number(attributes.SentTimestamp),
  };
}

/** The message as a new one for the same queue, which `toReceivedMessage` reads as tried so often and as old as this one. */
export function toCopy({ body, group, attempts, replays, sentAt }: ReceivedMessage): SqsMessage {
  const attributes = { failures: String(attempts), replays: String(replays), sentAt: String(sentAt) };
  return { body, group, attributes: fitAttributes(body, attributes) };
}
