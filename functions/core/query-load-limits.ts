/** The limits that keep queries from delaying events (docs/decisions/0025-queries-give-way.md). */

/**
 * Queries are refused while an event waits for so long between its acceptance and its row. Ordinary events wait for one or two
 * seconds; the first ones after a pause of the database for some 20, which is no load.
 */
export const SHED_LAG_MS = 30_000;

/** A mark of the consumer that is older says nothing about now. A batch takes up to a minute, and each one makes a mark. */
export const LAG_KNOWN_MS = 60_000;

/** A process reads the mark at most so often. */
export const LAG_READ_EVERY_MS = 5_000;

/** The wait that a refused query is asked for. */
export const SHED_RETRY_AFTER_SECONDS = 10;

/**
 * Pages of lists, and aggregates, that the database reads for a tenant at once. Each scan keeps a processor of the database busy, which the
 * consumer needs: with two, events beside 50 clients that scan are readable 1 to 6 % later at p99 on two processors (B16).
 */
export const TENANT_MAX_QUERIES = 2;

/**
 * A query waits for an earlier one of its tenant to end: so long in all. The first pause between two tries is about so long, and
 * each one is twice the one before: a try is a call of the database, which is what scans must not take from the consumer.
 */
export const QUERY_WAIT_MS = 1_000;
export const QUERY_FIRST_PAUSE_MS = 100;
