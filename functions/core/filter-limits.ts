import { KIB } from "./limits.ts";

/**
 * The limits of a filter. A filter is compiled to one SQL condition that is evaluated for each row of a scan, so they bound
 * the time of a row and the size of the statement. Filters that people write stay far below them.
 */

/** The whole filter as JSON; fits into a request, a subscription and a cursor's hash without a thought. */
export const FILTER_MAX_BYTES = 64 * KIB;

/**
 * Attributes and paths of `data` that are compared, a path with a list of values. Those beside an `$or` count once for each of
 * its combinations, because they are compiled once for each. The database plans 50 of them in 40 ms.
 */
export const FILTER_MAX_CONDITIONS = 50;

/** Values and operators in all lists of conditions, counted in the same way. Planning takes a quarter of a second for twice as many. */
export const FILTER_MAX_VALUES = 500;

/** Levels of `all`, `any` and `not`, the condition inside them included. */
export const FILTER_MAX_DEPTH = 8;

/** Keys from `data` to the value that is compared. */
export const FILTER_MAX_PATH_STEPS = 8;

/** One text or key; attributes of events have at most as many bytes, but for `dataschema`. */
export const FILTER_TEXT_MAX_BYTES = 1_024;

/** Items of one list: the values of a condition, or the members of `all`, `any` and `$or`. */
export const FILTER_LIST_MAX_ITEMS = 50;

/** Ways to choose one member of each `$or` of a pattern: each becomes a condition of its own. */
export const FILTER_MAX_ALTERNATIVES = 16;

/** Characters of a value that an explanation quotes. */
export const FILTER_QUOTE_MAX_CHARACTERS = 80;
