import { KIB } from "./limits.ts";

/** The limits of `POST /events/aggregate`. */

/** Fields that events are grouped by. More make groups of single events, which a list shows better. */
export const AGGREGATE_MAX_FIELDS = 3;

/** Measures of one request. Each may have 2,200 digits, and a result row of the Data API 64 KB. */
export const AGGREGATE_MAX_MEASURES = 10;

/** Buckets of the range: a chart has about as many pixels. */
export const AGGREGATE_MAX_BUCKETS = 1_000;

/** Rows of an answer. The first ones in the order of bucket and group are given, and `truncated` says that there are more. */
export const AGGREGATE_MAX_ROWS = 5_000;

/** The texts of the rows as JSON; what the Data API adds to each row leaves an answer of 1 MiB room for 5,000 of them. */
export const AGGREGATE_MAX_ROWS_BYTES = 600 * KIB;

/** Keys from `data` to a value that is measured, or that events are grouped by; as in a filter. */
export const AGGREGATE_MAX_PATH_STEPS = 8;

/** A pointer as text, which is a member's name in each row of the answer. */
export const AGGREGATE_POINTER_MAX_BYTES = 512;

/** The whole body: a filter of its largest size, and the rest. */
export const AGGREGATE_BODY_MAX_BYTES = 80 * KIB;

/** The range where none is given. */
export const AGGREGATE_DEFAULT_RANGE_HOURS = 24;

/** Time to read events. Grouping and sorting what was read takes less than as long again: together they stay below 5 s. */
export const AGGREGATE_SCAN_MS = 2_500;

/** Events that are read, which bounds the memory of the database for exact percentiles. */
export const AGGREGATE_MAX_EVENTS = 500_000;

/** Rollups that are read from each of their two tables: some two seconds of the database. */
export const AGGREGATE_MAX_ROLLUPS = 300_000;

/** Fields that the catalog declares as measures of one type. Each adds a row to each delta of the type. */
export const MEASURES_MAX = 8;
