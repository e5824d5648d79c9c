import { createConsume } from "../../../functions/consume/consume.ts";
import type { QueueMessage } from "../../../functions/core/batch.ts";
import { StoreError } from "../../../functions/core/errors.ts";
import type {
  DeadLetter,
  DeadLetterQueue,
  EventStore,
  RefusedEvent,
  StorableEvent,
} from "../../../functions/core/ports.ts";

export const NOW = Date.parse("2026-11-21T09:30:00Z");

export const poison = (reason = "not_storable") =>
  new StoreError({ verdict: "dead-letter", reason, sqlState: "22P05", detail: "ERROR: no" });
export const outage = () => new StoreError({ verdict: "retry", reason: "database_unavailable", detail: "gone" });

/** A message of events whose ids are given. */
export function message(messageId: string, ids: string[], overrides: Partial<QueueMessage> = {}): QueueMessage {
  const events = ids.map((id) => ({ id, source: "/s", type: "t", time: "2026-11-21T09:29:00Z", data: { id } }));
  const body = JSON.stringify({ version: 1, tenant: "default", receivedAt: "2026-11-21T09:29:00.000Z", events });
  return { messageId, body, attempts: 1, replays: 0, ...overrides };
}

/** A store in memory with the contract of the real one: all or none, unique by key. `fault` decides per call. */
export function memoryStore(
  options: { chunk?: number; fault?: (ids: string[], call: number) => StoreError | undefined } = {},
) {
  const rows = new Map<string, StorableEvent>();
  const calls: string[][] = [];
  const storeAll: EventStore["store"] = async (events) => {
    const ids = events.map(({ event }) => event.id);
    calls.push(ids);
    const fault = options.fault?.(ids, calls.length);
    if (fault !== undefined) throw fault;
    let stored = 0;
    for (const each of events) {
      const key = JSON.stringify([each.tenant, each.event.source, each.event.id]);
      if (!rows.has(key)) stored += 1;
      if (!rows.has(key)) rows.set(key, each);
    }
    return { stored };
  };
  const store: EventStore = {
    store: storeAll,
    async storeEach(events, deadline) {
      const refused: RefusedEvent[] = [];
      let stored = 0;
      for (const [index, each] of events.entries()) {
        try {
          stored += (await storeAll([each], deadline)).stored;
        } catch (error) {
          if (!(error instanceof StoreError) || error.verdict === "retry" || error.verdict === "stop") throw error;
          refused.push({ index, error });
        }
      }
      return { stored, refused };
    },
    chunks: (events) => {
      const size = options.chunk ?? 2_000;
      return Array.from({ length: Math.ceil(events.length / size) }, (_, i) => events.slice(i * size, (i + 1) * size));
    },
  };
  return { store, calls, ids: () => [...rows.values()].map(({ event }) => event.id).toSorted() };
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
