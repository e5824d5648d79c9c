import { KIB } from "./limits.ts";

/** The limits of legal holds. */

/** A body of a request, its filter included: 25 of them are in one answer of the Data API, which has 1 MiB. */
export const HOLD_BODY_MAX_BYTES = 16 * KIB;

/** Holds in force of one tenant. */
export const HOLDS_MAX = 100;

/**
 * The filters of all of them together. One statement looks for events that none of them has; their conditions are some times as
 * long, and a call of the Data API takes 4 MiB.
 */
export const HOLDS_FILTERS_MAX_BYTES = 256 * KIB;

/** Why a hold is made, and why it is released. */
export const HOLD_REASON_MAX_CHARACTERS = 1_000;

/** Holds in one answer. */
export const HOLDS_PAGE = 25;

/** Events that a new hold shows, and the time in which the database looks for them. */
export const HOLD_MATCHES_MAX = 10;
export const HOLD_MATCHES_MS = 3_000;

/** The time for an answer, below API Gateway's 29 s; a step of the same function has longer. */
export const HOLD_ANSWER_MS = 25_000;
