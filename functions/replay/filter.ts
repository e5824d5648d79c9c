import type { DeadLetterEvent, DeadLetterMessage } from "./dead-letter-message.ts";

/** A filter as a user gives it; ages are in milliseconds. */
export type FilterOptions = {
  reason?: string[];
  type?: string[];
  source?: string[];
  tenant?: string[];
  id?: string[];
  olderThan?: number;
  newerThan?: number;
};

/** A list accepts any of its values, an empty list accepts all. Moments stand for ages, so they do not move later. */
export type Filter = {
  reason: string[];
  type: string[];
  source: string[];
  tenant: string[];
  id: string[];
  receivedBefore?: string | undefined;
  receivedAfter?: string | undefined;
};

export function toFilter(options: FilterOptions, now: number): Filter {
  const { reason = [], type = [], source = [], tenant = [], id = [], olderThan, newerThan } = options;
  const ago = (milliseconds?: number) =>
    milliseconds === undefined ? undefined : new Date(now - milliseconds).toISOString();
  return { reason, type, source, tenant, id, receivedBefore: ago(olderThan), receivedAfter: ago(newerThan) };
}

/** The events of a message that the filter accepts, none to all of them. */
export function matchingEvents(message: DeadLetterMessage, filter: Filter): DeadLetterEvent[] {
  if (!accepts(filter.reason, message.reason) || !accepts(filter.tenant, message.tenant)) return [];
  if (filter.receivedBefore !== undefined && message.receivedAt >= filter.receivedBefore) return [];
  if (filter.receivedAfter !== undefined && message.receivedAt <= filter.receivedAfter) return [];
  return message.events.filter(
    ({ id, type, source }) =>
      accepts(filter.type, type) &&
      accepts(filter.source, source) &&
      (accepts(filter.id, id) || filter.id.includes(message.messageId)),
  );
}

/** Finds out which ids of a filter no message has, neither as its own id nor as an event's. */
export function createIdCheck({ id }: Filter): { add: (message: DeadLetterMessage) => void; missing: () => string[] } {
  const missing = new Set(id);
  return {
    add({ messageId, events }) {
      if (missing.size === 0) return;
      for (const name of [messageId, ...events.map((event) => event.id)]) if (name !== undefined) missing.delete(name);
    },
    missing: () => [...missing],
  };
}

function accepts(values: string[], value: string | undefined): boolean {
  return values.length === 0 || (value !== undefined && values.includes(value));
}
