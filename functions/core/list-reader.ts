import type { Filter } from "./filter/filter.ts";
import type { AllowedEvents } from "./ports.ts";

/** The port of lists to the database. */
export type ListReader = {
  /**
   * Reads a part of the events of a tenant, in the order they were received, from a position on.
   * @throws DatabaseError
   */
  list(scan: ListScan, deadline: number): Promise<ListPart>;
};

/** The part that is read. */
export type ListScan = {
  tenant: string;
  allowed: AllowedEvents;
  filter: Filter | undefined;
  /** Only events of these ids can pass the filter. @default any */
  ids: readonly string[] | undefined;
  /** Times as `toMicroseconds` writes them; `from` is in the range and `to` is not. */
  received: Range;
  /** The producer's time. */
  produced: Range;
  isNewestFirst: boolean;
  /** The number that fixes the set, as the first part gave it. @default the present one */
  horizon: string | undefined;
  /** @default the beginning of the range */
  after: Position | undefined;
  maxEvents: number;
  count: CountMode;
  /** The time for reading. */
  budgetMs: number;
};

export type Range = { readonly from: string | undefined; readonly to: string | undefined };

export const COUNT_MODES = ["none", "estimate", "exact"] as const;
export type CountMode = (typeof COUNT_MODES)[number];

/** The place of an event: when it was received, in microseconds, and its id and source, or a hash of both. */
export type Position =
  | readonly [receivedAt: string, id: string, source: string]
  | readonly [receivedAt: string, hash: string];

export type ListPart = {
  /** CloudEvents JSON texts, in the order of the scan. */
  events: string[];
  horizon: string;
  /** `index`: rows were found by a declared field or by their ids; `scan`: they were searched. */
  plan: Plan;
  /** Rows from the position to the end of the part. Those that the caller may not see are not counted. */
  scanned: number;
  /** False where the time was over before the part was full. */
  isComplete: boolean;
  /** False where no event can follow. */
  hasMore: boolean;
  /** The places of the first event, and of the last row that was read. */
  first: Position | undefined;
  last: Position | undefined;
  count: Count | undefined;
};

export const PLANS = ["index", "scan"] as const;
export type Plan = (typeof PLANS)[number];

/** `gte`: there are at least so many. */
export type Count = { value: number; relation: "eq" | "gte" | "estimate" };
