import type { EVERY, FUNCTIONS, GROUP_COLUMNS } from "./aggregate-body.ts";
import type { Filter } from "./filter/filter.ts";

/** The port of aggregates to the database. */
export type AggregateReader = {
  /**
   * Aggregates from rollups. Undefined where they do not suffice: a type in the range does not declare a place, or began to
   * do so within the range; or the retention of rollups has deleted some of it.
   * @throws DatabaseError; RequestError `too_many_queries`, where the tenant has as many queries under way as it may have
   */
  fromRollups(scan: AggregateScan, deadline: number): Promise<Aggregate | undefined>;
  /** Aggregates from the events. @throws the same */
  fromEvents(scan: AggregateScan, deadline: number): Promise<ScannedAggregate>;
};

/** The events that are aggregated, and how. */
export type AggregateScan = {
  tenant: string;
  /** Patterns of the types and sources that the caller may read (patterns.ts). @default every one */
  allowed: { types: readonly string[] | undefined; sources: readonly string[] | undefined };
  filter: Filter | undefined;
  /** Times of receipt as `toMicroseconds` writes them; `from` is in the range and `to` is not. */
  from: string;
  to: string;
  /** The length of a bucket. @default the range is one */
  every: Every | undefined;
  /** A name of the IANA database. */
  timeZone: string;
  fields: readonly GroupField[];
  measures: readonly Measure[];
};

export type Every = (typeof EVERY)[number];

/** A column of the events, or the keys to a value in their data. */
export type GroupField = (typeof GROUP_COLUMNS)[number] | readonly string[];

/** The number of the events, or a function of the numbers at a place in their data. */
export type Measure = "count" | { function: (typeof FUNCTIONS)[number]; path: readonly string[] };

export type Aggregate = {
  /** In the order of bucket and group; at most AGGREGATE_MAX_ROWS. */
  rows: AggregateRow[];
  /** The number of all rows. */
  whole: number;
  /** The time before which every event counts; the end of the range where all of it was read. In milliseconds since the epoch. */
  reached: number;
};

export type ScannedAggregate = Aggregate & {
  /** The events that were read. */
  scanned: number;
  /**
   * The time before which retention has dropped events of the tenant, where the range begins before it, in milliseconds since the
   * epoch: only those that are left count there.
   */
  droppedBefore: number | undefined;
};

export type AggregateRow = {
  /** The beginning of the bucket as RFC 3339 in the time zone. */
  bucket: string;
  /** The values of the fields, in their order, as a JSON array. */
  groups: string;
  /** Decimal numbers, in the order of the measures. Null where the group has no number. */
  measured: (string | null)[];
};
