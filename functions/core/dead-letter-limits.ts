import { KIB } from "./limits.ts";

/** The limits of dead letters at rest, and of what their API answers. */

/** Rows of one call; most of a call is its rows, and a result says nothing of each. */
export const RECORD_MAX_DEAD_LETTERS = 2_000;

/** Open dead letters are counted up to here for the metric: an alarm and a person need no more. */
export const OPEN_DEAD_LETTERS_MAX = 10_000;

/** The message of a dead letter may be long; its beginning says what is wrong. As long as in a message of the queue. */
export const DEAD_LETTER_MESSAGE_MAX_CHARACTERS = 1_000;

/** Reasons are ours, or of whoever writes to the queue by hand. */
export const REASON_MAX_CHARACTERS = 100;

/** Dead letters of a page; where the request names no number, a screenful. */
export const DEAD_LETTERS_MAX = 1_000;
export const DEAD_LETTERS_DEFAULT = 100;

/** Groups of an answer, and types that one names: people read no more, and both fit into a result of 1 MiB. */
export const GROUPS_MAX = 100;
export const GROUP_MAX_TYPES = 20;

/** Pieces of a body that one call returns: 12 of 15,000 characters stay below a result of 1 MiB, the replays included. */
export const BODY_MAX_PIECES = 12;

/** Replays that the history of a dead letter names, the last ones. */
export const HISTORY_MAX_REPLAYS = 20;

/** Values of one parameter that chooses dead letters, such as `id`. */
export const DEAD_LETTER_VALUES_MAX = 100;

/** The body of `POST /dead-letters/query`: the largest filter, and the rest. */
export const DEAD_LETTER_BODY_MAX_BYTES = 128 * KIB;
