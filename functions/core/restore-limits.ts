import { KIB } from "./limits.ts";

/** The limits of restores. */

/** A body of a request; a filter has its own bounds below this. */
export const RESTORE_BODY_MAX_BYTES = 128 * KIB;

/** Manifests of one restore: a year of a tenant in two classes. The job has their keys, some 150 bytes each. */
export const RESTORE_MAX_MANIFESTS = 1_000;

/** Days of one restore: each is asked for in each class. */
export const RESTORE_MAX_DAYS = 400;

/** Calls of S3 at once, for the manifests of a restore. */
export const RESTORE_MAX_CALLS = 16;

/** Jobs of one tenant that are not finished. */
export const RESTORE_MAX_UNFINISHED = 5;

/** Jobs in one answer. */
export const RESTORE_PAGE_JOBS = 100;

/** Events beside the live ones, in one answer. */
export const RESTORE_PAGE_EVENTS = 1_000;
export const RESTORE_DEFAULT_EVENTS = 100;

/** Days for which events beside the live ones can be read after the job has ended. */
export const RESTORE_KEPT_DAYS = 7;

/** Days for which restored events are retained at least: a shorter class would drop them while somebody reads them. */
export const RESTORE_MIN_DAYS = 2;

/** The time for an answer, below API Gateway's 29 s; a step of the same function has longer. */
export const RESTORE_ANSWER_MS = 25_000;

/** The time for which a step restores; a step that is killed loses nothing, because each chunk counts itself. */
export const RESTORE_STEP_MS = 30_000;

/** Kept free at the end of a step for the last chunk, and for the message of the next step. */
export const RESTORE_STEP_RESERVE_MS = 10_000;

/** The first step waits until its job is written. */
export const RESTORE_START_DELAY_SECONDS = 1;

/** The wait before a failed step is tried again doubles from the first to the longest. SQS delays a message for 900 s at most. */
export const RESTORE_RETRY_FIRST_SECONDS = 5;
export const RESTORE_RETRY_MAX_SECONDS = 600;

/** Attempts at a job that is not written: their waits are longer than the request that writes it, and the database behind it. */
export const RESTORE_ABSENT_ATTEMPTS = 4;
