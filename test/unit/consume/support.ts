import { isDeepStrictEqual } from "node:util";
import { createStoreMessages } from "../../../functions/consume/store-messages.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { Event } from "../../../functions/core/event.ts";
import type {
  DeadLetter,
  DeadLetterQueue,
  EventStore,
  StorableEvent,
  StoreOutcome,
} from "../../../functions/core/ports.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import type { Tracing } from "../../../functions/core/tracing.ts";
import { untraced } from "../../support/observability.ts";

export const NOW = Date.parse("2026-11-21T09:30:00Z");

export const refusal = (reason = "not_storable") =>
  new DatabaseError({ disposition: "dead-letter", reason, sqlState: "22P05", detail: "ERROR: no" });
export const outage = () => new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "down" });

/** A received message of events with the given ids; `changes` go to each event. */
export function message(
  messageId: string,
  ids: string[],
  {
    changes = {},
    head = {},
    ...overrides
  }: Partial<ReceivedMessage> & { changes?: Partial<Event>; head?: object } = {},
): ReceivedMessage {
  const events = ids.map((id) => ({
    id,
    source: "/s",
    type: "t",
    time: "2026-11-21T09:29:00Z",
    data: { id },
    ...changes,
  }));
  const body = JSON.stringify({
    version: 1,
    tenant: "default",
    receivedAt: "2026-11-21T09:29:00.000Z",
    ...head,
    events,
  });
  return {
    messageId,
    body,
    receiptHandle: `receipt of ${messageId}`,
    receiveCount: 1,
    attempts: 1,
    replays: 0,
    deadLetterId: undefined,
    group: "default",
    firstSentAt: NOW,
    ...overrides,
  };
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
      const outcome: StoreOutcome = { stored: 0, conflicts: [], erased: 0, refused: [] };
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
    createChunker<T extends StorableEvent>() {
      let events: T[] = [];
      return {
        add(event: T) {
          const full = events.length === chunk ? events.splice(0) : undefined;
          events.push(event);
          return full;
        },
        rest: () => events.splice(0),
      };
    },
  };
  return { store, calls, rows, ids: () => [...rows.values()].map(({ id }) => id).toSorted() };
}

/** A dead-letter queue in memory with the contract of the real one. */
export function memoryDeadLetters(refuse: (deadLetter: DeadLetter) => boolean = () => false) {
  const deadLetters: DeadLetter[] = [];
  const queue: DeadLetterQueue = {
    async send(all) {
      return all.map((deadLetter) => {
        if (refuse(deadLetter)) return "failed";
        deadLetters.push(deadLetter);
        return "enqueued";
      });
    },
  };
  return { queue, deadLetters, ids: () => deadLetters.map(({ id }) => id ?? "").toSorted() };
}

/** Stores messages with a minute left; failed messages are named by their ids. */
export function storing(
  store: EventStore,
  deadLetters: DeadLetterQueue,
  clock = () => new Date(NOW),
  tracing: Pick<Tracing, "serve"> = untraced,
) {
  const storeMessages = createStoreMessages({ store, deadLetters, clock, tracing });
  return async (messages: ReceivedMessage[]) => {
    const result = await storeMessages(messages, NOW + 60_000);
    return { ...result, failed: result.failed.map(({ messageId }) => messageId) };
  };
}
