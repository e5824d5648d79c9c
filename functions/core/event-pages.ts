/** The events of a tenant in the order of their receipt, page by page, for whoever reads many. */
export type EventPages = {
  /**
   * Reads the next page of a set of events: those that match and that were stored at `horizon`. The first page, which has
   * none, fixes it. A page may have no event although more follow: a filter that matches little is read in bounded steps.
   * @throws DatabaseError; RequestError `cursor_expired` where the event at which the page before ended is deleted
   */
  read(request: EventPageRequest, deadline: number): Promise<EventPage>;
  /** Says about how many events match, without reading them all, and gives the first of them. @throws DatabaseError */
  plan(events: MatchingEvents, sample: number, deadline: number): Promise<EventPlan>;
};

/** The events of a tenant that a key may read, and that match. */
export type MatchingEvents = {
  tenant: string;
  /** Patterns of types and sources (patterns.ts). @default every one */
  allowed: { types: readonly string[] | undefined; sources: readonly string[] | undefined };
  /** The JSON text of a filter that parsed before. @default every event */
  filter: string | undefined;
  /** The time of receipt, RFC 3339: from the first on, before the second. */
  from: string | undefined;
  to: string | undefined;
};

type EventPageRequest = {
  events: MatchingEvents;
  /** `horizon` and `next` of the page before. */
  horizon: string | undefined;
  after: string | undefined;
  limit: number;
};

export type EventPage = {
  /** Events as CloudEvents JSON text, equal to `GET /events/{id}`. */
  events: string[];
  horizon: string;
  /** The position of the next page; undefined at the end of the set. */
  next: string | undefined;
  /** Rows that were read, also those that did not match. */
  scanned: number;
};

export type EventPlan = {
  rows: number;
  /** `exact`, at least so many (`gte`), or as the planner estimates. */
  relation: "exact" | "gte" | "estimate";
  /** CloudEvents JSON texts. */
  sample: string[];
};
