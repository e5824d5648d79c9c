import { type Buckets, bucketStarts } from "../../parts/range.ts";

/** A row of `POST /events/aggregate` by type. */
export type TypeCount = { bucket?: string; type: string; count: string };

export type TypeRow = {
  type: string;
  events: number;
  /** Of all events in the range, from 0 to 1. */
  share: number;
  isNew: boolean;
  /** Versions that the catalog has; 0 where it does not know the type. */
  versions: number;
};

type Known = {
  /** The types of the catalog, with the number of their versions. */
  catalog: ReadonlyMap<string, number>;
  /** Types of which events came earlier; undefined where that is not known. */
  earlier: ReadonlySet<string> | undefined;
};

/** The types of a range, those with most events first, and then those of the catalog that had none. */
export function typeRows(counts: readonly TypeCount[], { catalog, earlier }: Known): TypeRow[] {
  const sum = counts.reduce((total, { count }) => total + Number(count), 0);
  const rows = counts.map(({ type, count }) => ({
    type,
    events: Number(count),
    share: sum === 0 ? 0 : Number(count) / sum,
    isNew: earlier !== undefined && !earlier.has(type),
    versions: catalog.get(type) ?? 0,
  }));
  const silent = [...catalog]
    .filter(([type]) => !counts.some((each) => each.type === type))
    .map(([type, versions]) => ({ type, events: 0, share: 0, isNew: false, versions }));
  return [...rows.toSorted((a, b) => b.events - a.events), ...silent];
}

/** The numbers of events of each type in each bucket. */
export function volumes(rows: readonly TypeCount[], buckets: Buckets): Map<string, number[]> {
  const places = new Map(bucketStarts(buckets).map((at, index) => [at, index]));
  const found = new Map<string, number[]>();
  for (const { type, bucket, count } of rows) {
    const values = found.get(type) ?? Array.from(places, () => 0);
    found.set(type, values);
    const at = places.get(Date.parse(bucket ?? "") / 1_000);
    if (at !== undefined) values[at] = Number(count);
  }
  return found;
}

/** The end of the last bucket in which there are events, or now. Undefined where there are none. */
export function lastSeen(values: readonly number[], buckets: Buckets, now = Date.now()): number | undefined {
  const last = values.findLastIndex((value) => value > 0);
  return last === -1 ? undefined : Math.min(now, Date.parse(buckets.from) + (last + 1) * buckets.ms);
}
