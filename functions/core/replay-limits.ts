import { MIB } from "./limits.ts";

/** The limits of replays and discards. */

/** A body of a request: edits are the most of it. */
export const REPLAY_BODY_MAX_BYTES = 3 * MIB;

/** Corrected events of one replay, and ids that a request names: all are one parameter of a statement. */
export const REPLAY_MAX_EDITS = 1_000;
export const REPLAY_MAX_IDS = 1_000;

/** Dead letters of one job that a request may bound it to: the counts of a job are integers of four bytes. */
export const REPLAY_MAX_LIMIT = 1_000_000_000;

/** Characters of the URL of another queue. */
export const REPLAY_QUEUE_URL_MAX_CHARACTERS = 2_000;

/** Characters of the reason of a discard. */
export const REPLAY_NOTE_MAX_CHARACTERS = 500;

/** Times that an event may be replayed when a request raises the bound. */
export const REPLAY_MAX_MAX_REPLAYS = 1_000;

/** Events a second that a request may ask for. More than SQS takes from one step is as no rate. */
export const REPLAY_MAX_RATE = 10_000;

/** Dead letters that a plan shows. */
export const REPLAY_SAMPLE = 10;

/** Jobs of one tenant that are not finished. Each has a step under way, and people look after each. */
export const REPLAY_MAX_UNFINISHED = 10;

/** Jobs in one answer. */
export const REPLAY_PAGE_JOBS = 100;

/** The time for an answer, below API Gateway's 29 s; a step of the same function has longer. */
export const REPLAY_ANSWER_MS = 25_000;

/** Dead letters that one statement takes, and the bytes of their bodies: all are in memory, and are sent again after a crash. */
export const REPLAY_TAKE_MAX = 1_000;
export const REPLAY_TAKE_MAX_BYTES = 5 * MIB;

/** The time in which one statement looks for them; behind it the next one goes on. Far below the Data API's 45 s. */
export const REPLAY_TAKE_MS = 10_000;

/** Outcomes that one statement finds: some two seconds. */
export const REPLAY_SETTLE_MAX = 20_000;

/** The time for which a step takes dead letters; a step that is killed has little to send again. */
export const REPLAY_STEP_MS = 30_000;

/** Kept free at the end of a step to end what it sends, to write so, and to send the message of the next step. */
export const REPLAY_STEP_RESERVE_MS = 5_000;

/** Steps at once of all tenants; ingest and consume have the database and the queue first. It is the least that SQS lets Lambda have. */
export const REPLAY_MAX_CONCURRENCY = 2;

/** The first step waits until its job is written. */
export const REPLAY_START_DELAY_SECONDS = 1;

/** The wait before a failed step is tried again doubles from the first to the longest. SQS delays a message for 900 s at most. */
export const REPLAY_RETRY_FIRST_SECONDS = 5;
export const REPLAY_RETRY_MAX_SECONDS = 600;

/** Attempts at a job that is not written: their waits are longer than the request that writes it, and the database behind it. */
export const REPLAY_ABSENT_ATTEMPTS = 4;

/** Hours for which the queue confirms nothing, after which what was not sent is open again. */
export const REPLAY_NO_PROGRESS_HOURS = 24;

/** The waits between the looks for outcomes double as well, and end after a day. */
export const SETTLE_FIRST_SECONDS = 2;
export const SETTLE_MAX_SECONDS = 900;
export const SETTLE_HOURS = 24;

/** The wait for the last report of a job: longer than the minute of the reports at its end. */
export const REPORT_AGAIN_SECONDS = 65;

/** A pause of a rate: so short that a progress bar moves, so long that a message is no call of its own. */
export const RATE_SLICES_PER_SECOND = 4;

/** Sent events are marked at least this often, so that a step that is killed sends few again. */
export const MARK_EVERY_MS = 5_000;
