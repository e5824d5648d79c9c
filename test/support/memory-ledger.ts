import { isDeepStrictEqual } from "node:util";
import type { NewDeadLetter } from "../../functions/core/dead-letter-table.ts";
import { DatabaseError } from "../../functions/core/errors.ts";
import type { Event } from "../../functions/core/event.ts";
import type { LedgerCounts, LedgerReader, TenantLedger } from "../../functions/core/ledger.ts";
import { addRange, NO_NUMBERS, type NumberRanges } from "../../functions/core/number-ranges.ts";
import type { Origin, StorableEvent } from "../../functions/core/ports.ts";
import { memoryDeadLetterTable } from "./memory-dead-letters.ts";

type Fate = keyof LedgerCounts;

/** The ledger in memory, by brute force: it keeps every event that arrived, and looks at all of them each time. */
export function memoryLedger({ clock = () => new Date(), isRefused = (_event: Event): boolean => false } = {}) {
  const table = memoryDeadLetterTable({ clock });
  const kept = new Map<string, Event>();
  /** Events that ended in another way than as a row of the table, by their number; those without one by a name of their own. */
  const ended = new Map<string, { tenant: string; origin: Origin | undefined; fate: Fate }>();
  let [isDown, names] = [false, 0];
  const nameOf = (tenant: string, origin: Origin | undefined) => JSON.stringify([tenant, origin ?? (names += 1)]);

  function end(tenant: string, origin: Origin | undefined, fate: Fate): void {
    const name = nameOf(tenant, origin);
    // The message of a dead letter that was discarded and deleted has come again.
    const isBack = fate === "stored" && ended.get(name)?.fate === "discarded";
    if (isBack || !ended.has(name)) ended.set(name, { tenant, origin, fate });
  }

  /** Every event that ended, once. */
  function all() {
    const events = new Map<string, { tenant: string; origin: Origin | undefined; fate: Fate }>(ended);
    for (const state of ["open", "replayed", "discarded"] as const) {
      for (const row of table.rows().filter((each) => each.state === state)) {
        const { origin } = row;
        const tenant = row.tenant ?? "";
        const isStored = origin === undefined && state === "replayed" && kept.has(keyOf(tenant, row));
        const name = nameOf(tenant, origin);
        if (!isStored && !events.has(name)) events.set(name, { tenant, origin, fate: state });
      }
    }
    return [...events.values()];
  }

  const reader: LedgerReader = {
    async take({ since, producers }) {
      if (isDown) throw new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "down" });
      const tenants = new Map<string, TenantLedger>([["*", ledgerOf("*")]]);
      const arrivals = new Map<string, { producer: string; tenant: string; numbers: NumberRanges }>();
      for (const { tenant, origin, fate } of all()) {
        if (!tenants.has(tenant)) tenants.set(tenant, ledgerOf(tenant));
        for (const ledger of [tenants.get("*"), tenants.get(tenant)]) {
          if (ledger === undefined) continue;
          ledger[fate] += 1;
          ledger.arrived += 1;
        }
        if (origin === undefined || (origin.producer < since && !producers.includes(origin.producer))) continue;
        const { producer, sequence } = origin;
        const name = JSON.stringify([producer, tenant]);
        const { numbers } = arrivals.get(name) ?? { numbers: NO_NUMBERS };
        arrivals.set(name, { producer, tenant, numbers: addRange(numbers, sequence, sequence) });
      }
      tenants.delete("");
      const takenAt = clock().toISOString();
      return { takenAt, tenants: [...tenants.values()], arrivals: [...arrivals.values()], subscriptions: [] };
    },
  };

  return {
    reader,
    store: (events: readonly StorableEvent[]) => {
      for (const { tenant, event, origin } of events) {
        if (isRefused(event)) continue;
        const key = keyOf(tenant, { eventId: event.id, source: event.source });
        const first = kept.get(key);
        if (first === undefined) kept.set(key, event);
        const isCopy = first !== undefined && isDeepStrictEqual({ ...first, time: "" }, { ...event, time: "" });
        end(tenant, origin, first === undefined ? "stored" : isCopy ? "copies" : "conflicts");
      }
    },
    record: (deadLetters: NewDeadLetter[]) => table.store.record(deadLetters, Number.POSITIVE_INFINITY),
    rows: table.rows,
    replay: table.take,
    discard: table.discard,
    /** Deletes the discarded dead letters. */
    prune() {
      const discarded = table.rows().filter(({ state }) => state === "discarded");
      for (const { id } of discarded) table.remove(id);
      const isLeft = (tenant: string | null, origin: Origin) =>
        table.rows().some((row) => row.tenant === tenant && isDeepStrictEqual(row.origin, origin));
      for (const { tenant, origin } of discarded)
        if (origin === undefined || !isLeft(tenant, origin)) end(tenant ?? "", origin, "discarded");
    },
    setDown: (down: boolean) => {
      isDown = down;
    },
  };
}

const keyOf = (tenant: string, { eventId, source }: { eventId: string | null; source: string | null }) =>
  JSON.stringify([tenant, eventId, source]);

const ledgerOf = (tenant: string): TenantLedger => ({
  tenant,
  stored: 0,
  copies: 0,
  conflicts: 0,
  open: 0,
  replayed: 0,
  discarded: 0,
  arrived: 0,
});
