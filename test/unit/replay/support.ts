import type { DeadLetterRow } from "../../../functions/replay/dead-letter-row.ts";
import {
  type DeadLetterMessage,
  type RawMessage,
  toDeadLetterMessage,
} from "../../../functions/replay/dead-letter-message.ts";

export const SENT_AT = "2026-11-21T12:00:00.000Z";

/** A message of the dead-letter queue with this body. */
export function rawMessage(body: string, attributes: Record<string, string> = {}, receiveCount = 1): RawMessage {
  return { messageId: "m-1", receiptHandle: "r-1", body, attributes, sentAt: Date.parse(SENT_AT), receiveCount };
}

export function readMessage(body: string, attributes: Record<string, string> = {}): DeadLetterMessage {
  return toDeadLetterMessage(rawMessage(body, attributes));
}

/** A dead-letter message of the events a, b, … with the given data. */
export function messageOf(data: unknown[], attributes: Record<string, string> = {}): DeadLetterMessage {
  const events = data.map((each, i) => ({
    id: String.fromCodePoint(97 + i),
    source: "/shop",
    type: "t",
    time: "2026-11-20T10:00:00Z",
    data: each,
  }));
  const envelope = { version: 1, tenant: "acme", receivedAt: "2026-11-20T10:00:00.000Z", events };
  return readMessage(JSON.stringify(envelope), { reason: "not_storable", ...attributes });
}

/** A row of the list of dead letters. */
export const row = (changes: Partial<DeadLetterRow> = {}): DeadLetterRow => ({
  id: "a",
  type: "order",
  source: "/shop",
  messageId: "m-1",
  reason: "not_storable",
  sqlState: "22P05",
  detail: "unsupported\nCONTEXT: more",
  tenant: "acme",
  receivedAt: "2026-11-20T10:00:00.000Z",
  sentAt: "2026-11-20T10:00:05.000Z",
  attempts: 1,
  replays: 2,
  ...changes,
});
