import type { Message } from "@aws-sdk/client-sqs";
import { type DeadLetter, toDeadLetter } from "../../../scripts/dead-letters/dead-letter.ts";

export const SENT_AT = "2026-11-21T12:00:00.000Z";

/** A message as SQS hands it out; `attributes` as text. */
export function message(body: string, attributes: Record<string, string> = {}, receiveCount = 1): Message {
  return {
    MessageId: "m-1",
    ReceiptHandle: "r-1",
    Body: body,
    Attributes: {
      SentTimestamp: String(Date.parse(SENT_AT)),
      ApproximateReceiveCount: String(receiveCount),
    },
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
    ),
  };
}

/** A letter of the events a, b, … with the given data. */
export function letterOf(data: unknown[], attributes: Record<string, string> = {}): DeadLetter {
  const events = data.map((each, i) => ({
    id: String.fromCodePoint(97 + i),
    source: "/shop",
    type: "t",
    time: "2026-11-20T10:00:00Z",
    data: each,
  }));
  const envelope = { version: 1, tenant: "acme", receivedAt: "2026-11-20T10:00:00.000Z", events };
  return toDeadLetter(message(JSON.stringify(envelope), { reason: "not_storable", ...attributes }));
}
