import { MIB } from "./limits.ts";

/** The limits of erasures. */

/** A body of a request: as many ids as a request may have, of some 200 bytes. */
export const ERASURE_BODY_MAX_BYTES = 1 * MIB;

/** Ids of one erasure, as Segment's API takes them in one call. */
export const ERASURE_MAX_IDS = 5_000;

/** Of the reason, which stands in the receipt and in the audit log. */
export const ERASURE_REASON_MAX_CHARACTERS = 500;

/** Jobs of one tenant that are not finished. */
export const ERASURE_MAX_UNFINISHED = 5;

/** Jobs in one answer. */
export const ERASURE_PAGE_JOBS = 100;

/** A job can be cancelled for so long: then its first step begins. */
export const ERASURE_START_DELAY_SECONDS = 10;

/** The time for an answer, below API Gateway's 29 s, and that of the count for a plan. */
export const ERASURE_ANSWER_MS = 25_000;
export const ERASURE_PLAN_MS = 15_000;

/** The time for which a step erases; a step that is killed loses nothing, because each statement notes itself. */
export const ERASURE_STEP_MS = 60_000;

/** Kept free at the end of a step for its last statement or object, and for the message of the next step. */
export const ERASURE_STEP_RESERVE_MS = 60_000;

/** Events that one statement erases, or groups of rollups that it corrects, and for how long it looks for them: its transaction holds up the feed meanwhile. */
export const ERASURE_MAX_ROWS = 1_000;
export const ERASURE_STATEMENT_MS = 2_000;

/** Before a place begins, the transactions that had begun have to end; the next step looks again after so long. */
export const ERASURE_SETTLE_SECONDS = 1;

/** Holds that are made during a statement: so often it is tried at once. */
export const ERASURE_HOLD_ATTEMPTS = 10;

/** The wait before a failed step is tried again doubles from the first to the longest. SQS delays a message for 900 s at most. */
export const ERASURE_RETRY_FIRST_SECONDS = 5;
export const ERASURE_RETRY_MAX_SECONDS = 600;

/** Attempts at a job that is not written: their waits are longer than the request that writes it, and the database behind it. */
export const ERASURE_ABSENT_ATTEMPTS = 4;

/** The longest that a backup of the stage has what was erased: Aurora's are kept for 7 days, and those of DynamoDB's tables for 35. */
export const ERASURE_BACKUP_DAYS = 35;
