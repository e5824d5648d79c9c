import type { Place } from "./anomalies.ts";
import type { Row } from "./at-rest.ts";
import { type History, wasSent } from "./history.ts";
import { type Key, KeyMap } from "./key-map.ts";

export type Tally = {
  stored(row: Row): void;
  deadLettered(key: Key): void;
  queued(key: Key): void;
  /** Lists every key that was sent or found, with its places. */
  places(): Iterable<Place>;
};

/** Counts the places of each key. It keeps columns, because a million more long-lived objects would take most of the time. */
export function createTally(history: History): Tally {
  const sent = history.attempted;
  // Keys that nobody sent follow those of the history.
  const strangers = new KeyMap<Key & { index: number }>();
  const rows = sent.map(() => 0);
  const storedAt = sent.map(() => Number.POSITIVE_INFINITY);
  const deadLetters = sent.map(() => 0);
  const queued = sent.map(() => 0);
  const changed = new Set<number>();

  const indexOf = (key: Key): number => {
    const known = history.find(key) ?? strangers.get(key);
    if (known !== undefined) return known.index;
    const { tenant, source, id } = key;
    return strangers.add(key, { tenant, source, id, index: sent.length + strangers.values.length }).index;
  };

  const placeOf = ({ tenant, source, id, index }: Key & { index: number }): Place => ({
    tenant,
    source,
    id,
    attempted: sent[index],
    rows: rows[index] ?? 0,
    deadLetters: deadLetters[index] ?? 0,
    queued: queued[index] ?? 0,
    storedAt: rows[index] ? storedAt[index] : undefined,
    changed: changed.has(index),
  });

  return {
    stored(row) {
      const index = indexOf(row);
      increment(rows, index);
      storedAt[index] = Math.min(storedAt[index] ?? row.storedAt, row.storedAt);
      const attempted = sent[index];
      const isKnown = attempted === undefined || row.fingerprint === undefined || wasSent(attempted, row.fingerprint);
      if (!isKnown) changed.add(index);
    },
    deadLettered: (key) => increment(deadLetters, indexOf(key)),
    queued: (key) => increment(queued, indexOf(key)),
    *places() {
      for (const attempted of sent) yield placeOf(attempted);
      for (const stranger of strangers.values) yield placeOf(stranger);
    },
  };
}

function increment(column: number[], index: number): void {
  column[index] = (column[index] ?? 0) + 1;
}
