/** The timeout of each function, the settings of its trigger, and the time that it keeps free. */

/** Validation plus one queue round trip with retries. Short, because each waiting request holds a function. */
export const INGEST_TIMEOUT_SECONDS = 10;

/** Above the Data API's own limit of 45 s a statement, so that a slow statement ends there and is classified. */
export const CONSUME_TIMEOUT_SECONDS = 60;

/** As of consume, and for the same reason. */
export const DRAIN_TIMEOUT_SECONDS = 60;

/** Under API Gateway's 29 s, with room for a database that resumes from 0 ACU (about 15 s). */
export const QUERY_TIMEOUT_SECONDS = 28;

/** A first deployment waits for a new database; a large migration is split over statements of 45 s. */
export const MIGRATE_TIMEOUT_SECONDS = 300;

/** A change is some calls of DynamoDB, each of at most two attempts of a second. */
export const ACCESS_TIMEOUT_SECONDS = 15;

/** A step waits for a database that resumes (about 15 s), then asks for some 20 s for the login with the new value. */
export const ROTATE_TIMEOUT_SECONDS = 60;

/** A step of an export. Short, because a step that is killed is delivered again after six times this time. */
export const EXPORT_TIMEOUT_SECONDS = 60;

/** A step of a replay, as of an export. */
export const REPLAY_TIMEOUT_SECONDS = 60;

/** A round of deliveries: half of it claims, the other half waits for the slowest sink (ROUND_CLOSE_MS). Short, as of export. */
export const NOTIFY_TIMEOUT_SECONDS = 60;

/** A snapshot waits for a database that resumes (about 15 s), then for one query, and writes an item for each tenant. */
export const STATUS_TIMEOUT_SECONDS = 60;

/** A sign-in is some calls of DynamoDB, as a change of keys is. */
export const CONSOLE_TIMEOUT_SECONDS = 15;

/** A step of retention: some days, and behind them the time of two statements of 45 s (RETAIN_STEP_RESERVE_MS). */
export const RETAIN_TIMEOUT_SECONDS = 240;

/** The function reads its own files and calls nobody. */
export const API_DOCS_TIMEOUT_SECONDS = 10;

/** Kept free at the end of an invocation to build and return the answer. */
export const ANSWER_RESERVE_MS = 1_000;

/**
 * Messages per invocation. One Data API call costs about 17 ms for 1 row or 1,000, so a batch fills half a chunk
 * with one-event messages; fuller messages close the batch at Lambda's 6 MB instead.
 */
export const CONSUME_BATCH_MESSAGES = 1_000;

/** The longest wait for a batch to fill, and so the floor of accept-to-readable time; needed above 10 messages. */
export const CONSUME_WINDOW_SECONDS = 1;

/** Concurrent writers. Five keep a small Aurora busy and leave connections for queries. */
export const CONSUME_MAX_CONCURRENCY = 5;

/** As of consume: a call records a thousand dead letters in little more time than one. */
export const DRAIN_BATCH_MESSAGES = 1_000;
export const DRAIN_WINDOW_SECONDS = 1;

/** As of consume: to record a dead letter costs the database about twice of an event, so a flood drains at half of its rate. */
export const DRAIN_MAX_CONCURRENCY = 5;

/** Wake-ups of an invocation: all together are one round. More would need a window, and each event would wait for it. */
export const NOTIFY_BATCH_MESSAGES = 10;

/**
 * Rounds at once. Each has DELIVERIES_IN_FLIGHT requests under way; five leave connections of the database for consume and for
 * queries, and a slow sink that holds one does not hold the others.
 */
export const NOTIFY_MAX_CONCURRENCY = 5;

/** Messages of the queue of `status` in an invocation, which does the work of all of them once. */
export const STATUS_BATCH_MESSAGES = 100;

/** A group of refusals is written once an invocation; nobody reads numbers that are younger than some seconds. */
export const STATUS_WINDOW_SECONDS = 5;

/** The least that an event source may have; what the messages ask for is rare and can wait. */
export const STATUS_MAX_CONCURRENCY = 2;

/**
 * Concurrency that `prod` keeps for queries, and their most: a tenth of an account's usual 1,000. Each may hold a connection of
 * the database for as long as a page takes, so a flood of queries takes neither the functions nor the connections that
 * ingest and consume need. Most of them only wait, as followers of the feed do.
 */
export const QUERY_MAX_CONCURRENCY = 100;
