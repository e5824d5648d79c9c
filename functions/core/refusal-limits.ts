import { FAULT_PATH_MAX_CHARACTERS } from "./limits.ts";

/** The limits of refusals: what is kept of events that ingest refuses. */

/** Messages a second of one process of ingest. At 0.40 $ a million, a process that refuses all day costs at most 0.35 $. */
export const REFUSAL_SENDS_PER_SECOND = 10;

/** The time of a send. It runs beside that of the events, which takes some 10 ms; a slow queue of `status` must not make requests slow. */
export const REFUSAL_SEND_MS = 500;

/** The pause after a send that was not confirmed, so that an outage costs one request in five seconds its half second. */
export const REFUSAL_PAUSE_MS = 5_000;

/** Groups in one message; the rest of its refusals are counted as `others`. With the samples they fit in a message of SQS. */
export const REFUSAL_MESSAGE_GROUPS = 200;

/** Samples of a group in one message, and of all its groups. A sample of hostile names has some 5 KB. */
export const REFUSAL_MESSAGE_GROUP_SAMPLES = 3;
export const REFUSAL_MESSAGE_SAMPLES = 100;

/** Groups of a tenant and day, beside `others`. More causes at once are one flood, and a person reads the largest ten. */
export const REFUSAL_DAY_GROUPS = 200;

/** Samples of a group and day: the latest ones. */
export const REFUSAL_SAMPLES = 20;

/**
 * Ids of messages that a group remembers, so that it counts none twice. SQS delivers a message again after the visibility timeout
 * of the queue; one invocation counts far fewer messages.
 */
export const REFUSAL_COUNTED_MESSAGES = 200;

/** Refusals are deleted after so many days. Mistakes that are older are repaired, or are made today as well. */
export const REFUSAL_KEPT_DAYS = 30;

/** Longest id, source and user agent of a sample. They find a producer, and need not be whole. */
export const REFUSAL_TEXT_MAX_CHARACTERS = 128;

/** Members of the object around the error that a sample shows. */
export const REFUSAL_MEMBERS = 20;

/** Longest name of a member that is shown; longer keys are values, for example tokens. */
export const REFUSAL_NAME_MAX_CHARACTERS = 40;

/** Groups that are written at once. */
export const REFUSAL_WRITES_IN_FLIGHT = 8;

/** Groups of an answer of `GET /refusals`. With samples of hostile names 50 groups have 5 MB of the 6 MB of an answer. */
export const REFUSALS_DEFAULT = 20;
export const REFUSALS_MAX = 50;

/** Days of an answer where the request names none. */
export const REFUSALS_DEFAULT_DAYS = 7;

/** Longest place of an error: a path that is cut, and the mark behind it. */
export const REFUSAL_POINTER_MAX_CHARACTERS = FAULT_PATH_MAX_CHARACTERS + 1;
