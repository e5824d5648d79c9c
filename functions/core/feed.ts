import type { Filter } from "./filter/filter.ts";
import type { AllowedEvents } from "./ports.ts";

/**
 * The feed of a tenant: its events in the order of the transactions that stored them. Its reader has a fake in memory,
 * which passes the same tests as the adapter (test/support/conformance/feed-reader.ts).
 */
export type FeedReader = {
  /** Reads a page, which may be empty. @throws DatabaseError */
  read(request: FeedRead, deadline: number): Promise<FeedPage>;
};

export type FeedRead = {
  tenant: string;
  /** `start`: the first retained event; `now`: after the last one; or a place that a page ended at. */
  after: "start" | "now" | FeedPlace;
  /** Patterns of the types and sources that the caller may read. */
  allowed: AllowedEvents;
  filter: Filter | undefined;
  maxEvents: number;
  /** Rows that are looked at, at most but for the rest of a transaction. */
  maxRows: number;
};

/** A place in the feed: a transaction that was read to its end, or up to an event. Its values mean something to the database only. */
export type FeedPlace = {
  readonly incarnation: string;
  readonly number: string;
  readonly began: string;
  readonly event: string | null;
  /** The last time at which events were forgotten, as the page saw it. */
  readonly forgotten: string;
};

export type FeedPage =
  | {
      kind: "page";
      /** A JSON array of CloudEvents. */
      events: string;
      count: number;
      /** The end of the page. */
      place: FeedPlace;
      /** True where everything below the horizon was looked at. */
      isEnd: boolean;
      /** True where a transaction is open, whose events will come after this place. */
      isOpen: boolean;
      /** The time for which the oldest open transaction has held the horizon. */
      horizonAgeMs: number;
    }
  /** The database does not have the place: it is another one, or was restored to a time before it. */
  | { kind: "restored" }
  /** Events after the place are no longer retained. */
  | { kind: "forgotten" };

/** A value that changes with every store of events, whosever they are. */
export type StoreMark = {
  /** The mark as it is now; undefined where it cannot be read. Never throws. */
  read(): Promise<string | undefined>;
};

export type StoreMarker = {
  /** Changes the mark by the deadline, and the lag in it where there is one. Returns whether anybody subscribes. @throws AccessError */
  change(lag: ConsumerLag | undefined, deadline: number): Promise<{ isSubscribed: boolean }>;
};

/** The time between acceptance and row of the oldest event that a batch stored at its first attempt. */
export type ConsumerLag = {
  lagMs: number;
  /** The end of that batch, ms since the epoch. */
  at: number;
};

export type LagReader = {
  /** The lag of the last batch; undefined where none is known. Never throws. */
  read(): Promise<ConsumerLag | undefined>;
};

/** The last facts that the consumer wrote about itself. */
export type ConsumerState = {
  lag: ConsumerLag | undefined;
  /** When it last stored events, ms since the epoch. */
  storedAt: number | undefined;
};

export type ConsumerStateReader = {
  /** @throws AccessError */
  read(): Promise<ConsumerState>;
};
