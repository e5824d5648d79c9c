import type { MessageAttributes, ReceivedDeadLetter } from "../../../functions/core/queue-message.ts";

export const NOW = Date.parse("2026-11-21T12:00:00Z");

/** A message of the dead-letter queue. */
export function dead(
  text: string,
  attributes: MessageAttributes = {},
  changes: Partial<ReceivedDeadLetter> = {},
): ReceivedDeadLetter {
  const { messageId = "m1" } = changes;
  const receipt = { receiptHandle: `receipt of ${messageId}`, receiveCount: 1, sentAt: NOW, group: undefined };
  return { messageId, body: text, ...receipt, attributes, ...changes };
}

type Fields = { id: string; [name: string]: unknown };

/** The body of a queue message. */
export function body(events: Fields[], tenant = "acme"): string {
  const event = { source: "/shop", type: "com.example.order", time: "2026-11-20T10:00:00Z", data: {} };
  const head = { version: 1, tenant, receivedAt: "2026-11-20T10:00:00.000Z" };
  return JSON.stringify({ ...head, events: events.map((fields) => ({ ...event, ...fields })) });
}
