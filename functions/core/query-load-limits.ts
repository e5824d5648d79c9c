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

/** Pages of lists that the database reads for a tenant at once. */
export const TENANT_MAX_QUERIES = 4;

/** A page waits for an earlier one of its tenant to end: so long in all, and about so long between two tries. */
export const QUERY_WAIT_MS = 1_000;
export const QUERY_TRY_EVERY_MS = 100;
