import type { Key } from "./key-map.ts";

/** Everything that is left when the stack has come to rest. */
export type AtRest = {
  stored: Iterable<Row>;
  deadLetters: Iterable<MessageAtRest>;
  queued: Iterable<MessageAtRest>;
};

export type Row = Key & {
  /** When it could be read, ms since the epoch. */
  storedAt: number;
  /** Compared with those of the attempts where it is given. */
  fingerprint?: string;
};

/** A message in a queue. */
export type MessageAtRest = {
  /** Of the events that can be read in it. */
  keys: readonly Key[];
  /** Acknowledged events that are known to be in it besides and cannot be read; 0 where left out. */
  unread?: number;
};

/**
 * Reads the keys in a message's body. A body that cannot be read has none: whoever broke it says how many events were
 * in it.
 */
export function readMessageAtRest(body: string): MessageAtRest {
  let envelope: { tenant?: unknown; events?: unknown };
  try {
    envelope = Object(JSON.parse(body));
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
