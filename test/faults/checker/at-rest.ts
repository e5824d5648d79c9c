import { textOfMessage } from "../../../functions/core/message-text.ts";
import type { Key } from "./key-map.ts";

/** The contents of the database and both queues after all work is done. */
export type AtRest = {
  stored: Iterable<Row>;
  deadLetters: Iterable<MessageAtRest>;
  queued: Iterable<MessageAtRest>;
};

export type Row = Key & {
  /** The time at which the row could be read, ms since the epoch. */
  storedAt: number;
  /** If given, it is compared with the fingerprints of the attempts. */
  fingerprint?: string;
};

/** A message in a queue. */
export type MessageAtRest = {
  /** Keys of the readable events in the message. */
  keys: readonly Key[];
  /** Number of acknowledged events that are known to be in the message but cannot be read. @default 0 */
  unread?: number;
};

/**
 * Reads the keys in a message's body. An unreadable body has no keys; the test that broke it sets `unread`.
 */
export function readMessageAtRest(body: string): MessageAtRest {
  let envelope: { tenant?: unknown; events?: unknown };
  try {
    envelope = Object(JSON.parse(textOfMessage(body).text));
  } catch {
    return { keys: [] };
  }
  const { tenant, events } = envelope;
  if (typeof tenant !== "string" || !Array.isArray(events)) return { keys: [] };
  return { keys: events.map((event) => ({ tenant, source: event?.source, id: event?.id })).filter(isKey) };
}

function isKey({ source, id }: { source: unknown; id: unknown }): boolean {
  return typeof source === "string" && typeof id === "string";
}
