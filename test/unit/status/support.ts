import type { LedgerCounts, LedgerReader, LedgerSnapshot, TenantLedger } from "../../../functions/core/ledger.ts";
import type { QueueDepths } from "../../../functions/core/queue-depths.ts";
import type { StatusMessage } from "../../../functions/core/status-message.ts";
import { addRange, countNumbers, NO_NUMBERS, type NumberRanges } from "../../../functions/core/number-ranges.ts";

export const NOW = Date.parse("2026-11-30T09:30:00.000Z");

const depth = (visible: number) => ({ visible, inFlight: 0, delayed: 0 });

export const depths = (events: number) => ({
  events: depth(events),
  deadLetters: depth(0),
  wakeUps: depth(2),
  status: depth(1),
});

/** Queues with so many messages of events; undefined where SQS does not answer. */
export const queuesWith = (events: () => number | undefined): QueueDepths => ({
  read: () => {
    const count = events();
    return count === undefined ? Promise.reject(new Error("no answer")) : Promise.resolve(depths(count));
  },
});

export const NO_COUNTS: LedgerCounts = { stored: 0, copies: 0, conflicts: 0, open: 0, replayed: 0, discarded: 0 };

/** A database that knows what became of each event, and answers as take_ledger does. */
export function memoryDatabase(clock: () => number) {
  const tenants = new Map<string, LedgerCounts & { arrivals: Map<string, NumberRanges>; unnumbered: number }>();
  const asked: { since: string; producers: readonly string[] }[] = [];
  const state: { fault: Error | undefined; beforeTake: () => void } = { fault: undefined, beforeTake: () => undefined };
  const of = (tenant: string) => {
    const known = tenants.get(tenant) ?? { ...NO_COUNTS, arrivals: new Map(), unnumbered: 0 };
    tenants.set(tenant, known);
    return known;
  };
  const reader: LedgerReader = {
    take: (wanted) => {
      asked.push(wanted);
      state.beforeTake();
      if (state.fault !== undefined) return Promise.reject(state.fault);
      const ledgers = [...tenants].map(([tenant, { arrivals, unnumbered, ...counts }]): TenantLedger => {
        const arrived = [...arrivals.values()].reduce((sum, numbers) => sum + countNumbers(numbers), unnumbered);
        return { tenant, ...counts, arrived };
      });
      const names = Object.keys({ ...NO_COUNTS, arrived: 0 }) as (keyof LedgerCounts | "arrived")[];
      const total = names.map((name) => [name, ledgers.reduce((sum, ledger) => sum + ledger[name], 0)]);
      const isAsked = (producer: string) => producer >= wanted.since || wanted.producers.includes(producer);
      const snapshot: LedgerSnapshot = {
        takenAt: new Date(clock()).toISOString(),
        tenants: [
          { tenant: "*", ...(Object.fromEntries(total) as Omit<TenantLedger, "tenant">) },
          ...ledgers.filter(({ tenant }) => tenant !== ""),
        ],
        arrivals: [...tenants].flatMap(([tenant, { arrivals }]) =>
          [...arrivals]
            .filter(([producer]) => isAsked(producer))
            .map(([producer, numbers]) => ({ tenant, producer, numbers })),
        ),
        subscriptions: [{ tenant: "acme", active: 2, disabled: 1, pending: 7 }],
      };
      return Promise.resolve(snapshot);
    },
  };
  return {
    reader,
    asked,
    state,
    /** An event ends; once for each of its number. */
    end(tenant: string, as: keyof LedgerCounts, numbered?: { producer: string; number: number }): void {
      const ledger = of(tenant);
      if (numbered === undefined) ledger.unnumbered += 1;
      else {
        const { producer, number } = numbered;
        const known = ledger.arrivals.get(producer) ?? NO_NUMBERS;
        const after = addRange(known, number, number);
        if (countNumbers(after) === countNumbers(known)) return;
        ledger.arrivals.set(producer, after);
      }
      ledger[as] += 1;
    },
    /** An event ends otherwise than before. */
    move(tenant: string, from: keyof LedgerCounts, to: keyof LedgerCounts): void {
      of(tenant)[from] -= 1;
      of(tenant)[to] += 1;
    },
    /** A fault of Sluice: a count is not what arrived. */
    miscount: (tenant: string) => {
      of(tenant).stored -= 1;
    },
  };
}

/** The queue of `status`, which keeps what is sent. */
export function memoryMessages() {
  const sent: { message: StatusMessage; delaySeconds: number }[] = [];
  const state = { answers: true };
  return {
    sent,
    state,
    messages: {
      send: (message: StatusMessage, delaySeconds: number) => {
        if (state.answers) sent.push({ message, delaySeconds });
        return Promise.resolve(state.answers);
      },
    },
  };
}
