import { toPredicate } from "../../../functions/core/filter/predicate.ts";
import { matchesAny } from "../../../functions/core/patterns.ts";
import type { FeedPlace, FeedReader } from "../../../functions/core/feed.ts";
import type { StorableEvent } from "../../../functions/core/ports.ts";

/** A feed over transactions in memory, with the contract of the real one. */
export function memoryFeed(): {
  reader: FeedReader;
  store: (events: StorableEvent[]) => Promise<void>;
  /** An open transaction of this age holds everything that is stored from now on; undefined ends it. */
  hold: (ageMs: number | undefined) => void;
  /** The state of every place from now on. */
  answerPlaces: (kind: "restored" | "forgotten") => void;
} {
  const transactions: { tenant: string; number: number; events: StorableEvent[] }[] = [];
  let heldFrom: { number: number; ageMs: number } | undefined;
  let state: "restored" | "forgotten" | undefined;
  let lastNumber = 0;
  const reader: FeedReader = {
    async read({ tenant, after, allowed, filter, maxEvents, maxRows }) {
      if (typeof after !== "string" && state !== undefined) return { kind: state };
      const matches = filter === undefined ? () => true : toPredicate(filter);
      const own = transactions.filter((each) => each.tenant === tenant && each.number < (heldFrom?.number ?? Infinity));
      const placeAt = (number: number, event: string | null = null): FeedPlace => ({
        incarnation: "memory",
        number: String(number),
        began: String(number),
        event,
        forgotten: "0",
      });
      const from = after === "start" ? placeAt(0) : after === "now" ? placeAt(own.at(-1)?.number ?? 0) : after;
      const open = { isOpen: heldFrom !== undefined, horizonAgeMs: heldFrom?.ageMs ?? 0 };
      const found: StorableEvent[] = [];
      let place = from;
      let rows = 0;
      for (const { number, events } of own) {
        if (number < Number(from.number) || (number === Number(from.number) && from.event === null)) continue;
        if (rows >= maxRows) return { kind: "page", ...written(found), place, isEnd: false, ...open };
        rows += events.length;
        const isResumed = number === Number(from.number);
        const start = isResumed ? events.findIndex((each) => hashOf(each) === from.event) + 1 : 0;
        for (const each of events.slice(start)) {
          const { type, source } = each.event;
          if (!matchesAny(allowed.types, type) || !matchesAny(allowed.sources, source) || !matches(readable(each)))
            continue;
          if (found.length === maxEvents) {
            const last = found.at(-1) as StorableEvent;
            const at = own.find((transaction) => transaction.events.includes(last))?.number ?? 0;
            return { kind: "page", ...written(found), place: placeAt(at, hashOf(last)), isEnd: false, ...open };
          }
          found.push(each);
        }
        place = placeAt(number);
      }
      return { kind: "page", ...written(found), place, isEnd: true, ...open };
    },
  };
  return {
    reader,
    async store(events) {
      lastNumber += 1;
      for (const tenant of new Set(events.map((each) => each.tenant))) {
        const own = events.filter((each) => each.tenant === tenant).toSorted(inOrder);
        transactions.push({ tenant, number: lastNumber, events: own });
      }
    },
    hold(ageMs) {
      heldFrom = ageMs === undefined ? undefined : { number: lastNumber + 1, ageMs };
    },
    answerPlaces(kind) {
      state = kind;
    },
  };
}

const hashOf = ({ event }: StorableEvent): string => JSON.stringify([event.id, event.source]);

function inOrder(a: StorableEvent, b: StorableEvent): number {
  const keyOf = ({ receivedAt, event }: StorableEvent) => [receivedAt, event.id, event.source];
  const [left, right] = [keyOf(a), keyOf(b)];
  const place = left.findIndex((each, index) => each !== right[index]);
  return place === -1 ? 0 : (left[place] as string) < (right[place] as string) ? -1 : 1;
}

function readable({
  tenant,
  receivedAt,
  event: { extensions, ...attributes },
}: StorableEvent): Record<string, unknown> {
  return { specversion: "1.0", ...attributes, ...extensions, tenant, receivedat: receivedAt };
}

const written = (events: StorableEvent[]) => ({ events: JSON.stringify(events.map(readable)), count: events.length });
