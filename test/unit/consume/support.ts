import { isDeepStrictEqual } from "node:util";
import { createConsume } from "../../../functions/consume/consume.ts";
import type { QueueMessage } from "../../../functions/core/batch.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { Event } from "../../../functions/core/event.ts";
import type {
  DeadLetter,
  DeadLetterQueue,
  EventStore,
  StorableEvent,
  StoreOutcome,
} from "../../../functions/core/ports.ts";

export const NOW = Date.parse("2026-11-21T09:30:00Z");

export const poison = (reason = "not_storable") =>
  new DatabaseError({ disposition: "dead-letter", reason, sqlState: "22P05", detail: "ERROR: no" });
export const outage = () => new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "gone" });

/** A message of events whose ids are given; `changes` go to each of them. */
export function message(
  messageId: string,
  ids: string[],
  { changes = {}, ...overrides }: Partial<QueueMessage> & { changes?: Partial<Event> } = {},
): QueueMessage {
  const events = ids.map((id) => ({
    id,
    source: "/s",
    type: "t",
    time: "2026-11-21T09:29:00Z",
    data: { id },
    ...changes,
  }));
  const body = JSON.stringify({ version: 1, tenant: "default", receivedAt: "2026-11-21T09:29:00.000Z", events });
  return { messageId, body, attempts: 1, replays: 0, ...overrides };
}

type MemoryStoreOptions = {
  chunk?: number;
  /** Why a call fails as a whole. */
  fault?: (ids: string[], call: number) => DatabaseError | undefined;
  /** Why an event is refused. */
  refuse?: (event: Event) => DatabaseError | undefined;
};

/** A store in memory with the contract of the real one. */
export function memoryStore({ chunk = 2_000, fault, refuse }: MemoryStoreOptions = {}) {
  const rows = new Map<string, Event>();
  const calls: string[][] = [];
  const store: EventStore = {
    async store(events) {
      const ids = events.map(({ event }) => event.id);
      calls.push(ids);
      const thrown = fault?.(ids, calls.length);
      if (thrown !== undefined) throw thrown;
      const outcome: StoreOutcome = { stored: 0, conflicts: [], refused: [] };
      for (const [index, { tenant, event }] of events.entries()) {
        const key = JSON.stringify([tenant, event.source, event.id]);
        const kept = rows.get(key);
        const error = refuse?.(event);
        if (error !== undefined) {
          outcome.refused.push({ index, error });
        } else if (kept === undefined) {
          rows.set(key, event);
          outcome.stored += 1;
        } else if (!isDeepStrictEqual({ ...kept, time: "" }, { ...event, time: "" })) {
          outcome.conflicts.push(index);
        }
      }
      return outcome;
    },
    *chunks<T extends StorableEvent>(events: Iterable<T>) {
      for (let rest = [...events]; rest.length > 0; rest = rest.slice(chunk)) yield rest.slice(0, chunk);
    },
  };
  return { store, calls, ids: () => [...rows.values()].map(({ id }) => id).toSorted() };
}

export function memoryDeadLetters(refuse: (letter: DeadLetter) => boolean = () => false) {
  const letters: DeadLetter[] = [];
  const queue: DeadLetterQueue = {
    async send(all) {
      return all.map((letter) => {
        if (refuse(letter)) return "failed";
        letters.push(letter);
        return "stored";
      });
    },
  };
  return { queue, letters, ids: () => letters.map(({ id }) => id ?? "").toSorted() };
}

export function consumer(store: EventStore, deadLetters: DeadLetterQueue, clock = () => new Date(NOW)) {
  const consume = createConsume({ store, deadLetters, clock });
  return async (messages: QueueMessage[]) => {
    const result = await consume(messages, NOW + 60_000);
    return { ...result, failed: result.failed.map(({ messageId }) => messageId) };
  };
}
