import { KIB, MIB } from "./limits.ts";

/** The limits of lists of events. */

/** Events of a page; where the request names no number, a screenful or two. */
export const LIST_MAX_EVENTS = 1_000;
export const LIST_DEFAULT_EVENTS = 100;

/**
 * The JSON of a page's events, as the Data API escapes it in its answer of at most 1 MiB. The largest event is far below it,
 * so a page has at least one.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html
 */
export const LIST_PAGE_MAX_BYTES = 960 * KIB;

/**
 * The time of one page in the database. A page is ready within five seconds: the plan, the last rows, the call and the
 * function itself have the rest.
 */
export const LIST_BUDGET_MS = 3_500;

/** A page is ready within this time, of which the one above is the most. */
export const LIST_PAGE_MS = 5_000;

/**
 * An answer of lines, NDJSON or CSV, as JSON escapes its text: Lambda hands an answer over as JSON of at most 6 MB, and drops a
 * larger one. The rest is for the headers, of which API Gateway takes 10,240 bytes.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const LINES_MAX_BYTES = 6 * MIB - 64 * KIB;

/** Pages of an answer of lines are read for so long: API Gateway waits for 29 s, and a database that resumes needs 15. */
export const LINES_READ_MS = 15_000;

/** The `Link` of the next page, which has the parameters of the request; API Gateway takes 10,240 bytes of headers in all. */
export const LINK_MAX_CHARACTERS = 4_096;

/** An exact count ends here: people read no more digits, and a page has little time. */
export const COUNT_MAX = 10_000;

/** The body of `POST /events/query`: the largest filter, and the rest. */
export const LIST_BODY_MAX_BYTES = 128 * KIB;

/**
 * Pairs of a type and a value that an index looks up for a list. Each is a scan of each day of the range, so more would
 * make the plan slower than the list.
 */
export const LOOKUP_MAX_KEYS = 10;

/**
 * Values of one declared field in one event, each a row of the index. An event with more has one row for all of them, and is
 * read for each value. The same number stands in field_hashes of functions/sql/0006_indexed_fields.sql.
 */
export const FIELD_MAX_VALUES = 100;

/** Fields that a file of the catalog declares as indexed. Each adds a row to each event of the type. */
export const INDEXED_MAX = 8;

/** Members of an event that `select` names, and the steps from the event to one. */
export const SELECT_MAX_PATHS = 50;
export const SELECT_MAX_STEPS = 9;
export const SELECT_PATH_MAX_BYTES = 1_024;

/** The id and the source in a cursor, as JSON in bytes; for longer ones it has a hash, because a cursor has 512 characters. */
export const CURSOR_KEY_MAX_BYTES = 220;
