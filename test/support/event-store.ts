import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { EventStore, StorableEvent, StoreOutcome } from "../../functions/core/ports.ts";
import { startMigratedDatabase, type TestDatabase } from "./database.ts";

type StoredRow = {
  tenant: string;
  id: string;
  source: string;
  type: string;
  received_at: Date;
  /** As PostgreSQL writes it. */
  data: string | null;
};

export type TestEventStore = {
  db: TestDatabase;
  store: EventStore;
  /** Removes all events and faults. */
  empty(): Promise<void>;
  rows(): Promise<StoredRow[]>;
  count(table: "events" | "event_keys"): Promise<number | undefined>;
};

/** The event store over a database of its own, migrated and empty. */
export async function startEventStore(): Promise<TestEventStore> {
  const db = await startMigratedDatabase();
  return {
    db,
    store: createEventStore(db.writer),
    async empty() {
      db.faults.clear();
      await db.empty("events", "event_keys");
    },
    rows: () =>
      db.ask("select tenant, id, source, type, received_at, data::text from events order by tenant, id, source"),
    count: async (table) => (await db.ask<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n,
  };
}

/** The chunks that the store makes of events. */
export function chunksOf<T extends StorableEvent>(store: EventStore, events: readonly T[]): T[][] {
  const chunker = store.createChunker<T>();
  const full = events.flatMap((event) => {
    const chunk = chunker.add(event);
    return chunk === undefined ? [] : [chunk];
  });
  const rest = chunker.rest();
  return rest.length > 0 ? [...full, rest] : full;
}

/** The outcome of a call in which nothing was found wrong. */
export const allWell = (stored: number): StoreOutcome => ({ stored, conflicts: [], erased: 0, refused: [] });
