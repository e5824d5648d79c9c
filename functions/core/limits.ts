/**
 * Every limit of Sluice, once: imported by the functions, the CDK app and the docs. A number says its unit in its name
 * and its reason above it.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

// ---- What a client may send -----------------------------------------------------------------------------------------

/** One request is one Lambda invocation; a thousand small events are validated and packed well inside a second. */
export const REQUEST_MAX_EVENTS = 1_000;

/**
 * Request body after inflating. Lambda takes 6 MB per synchronous invocation and API Gateway hands bodies over in
 * base64 (4/3 of the size), so 4 MiB is the largest round figure that always fits.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const REQUEST_MAX_BYTES = 4 * MIB;

/**
 * Values (members, elements, objects, arrays) in one request. Each costs time and memory, and `[{},{},…]` has a million
 * of them in 4 MiB; real events have one in every 30 bytes or fewer, so 4 MiB of them stay below half of this.
 */
export const REQUEST_MAX_VALUES = 300_000;

/** Levels of a whole body; far above what one event may have, far below what overflows a parser's stack. */
export const JSON_MAX_DEPTH = 1_000;

/** One event as stored JSON. Four fit in one SQS message of 1 MiB and one always fits in a Data API call of 4 MiB. */
export const EVENT_MAX_BYTES = 256 * KIB;

/** Levels of arrays and objects inside `data`; deep nesting overflows the stack of every recursive reader. */
export const EVENT_MAX_DEPTH = 64;

/** `tenant`, `id` and `source` form a unique key, and a Postgres B-tree entry may have 2,704 bytes (1/3 page). */
export const TENANT_MAX_BYTES = 64;
export const ID_MAX_BYTES = 512;
export const SOURCE_MAX_BYTES = 1_024;

/** Longest names seen in the wild (reverse DNS plus version) stay below half of this. */
export const TYPE_MAX_BYTES = 256;

/** URIs and free text; the usual bound of proxies and browsers for one URI is 2 KB. */
export const SUBJECT_MAX_BYTES = 1_024;
export const DATASCHEMA_MAX_BYTES = 2_048;
export const DATACONTENTTYPE_MAX_BYTES = 256;

/** CloudEvents asks for names of at most 20 characters. @see https://github.com/cloudevents/spec (naming conventions) */
export const EXTENSION_NAME_MAX_CHARACTERS = 20;
export const EXTENSIONS_MAX = 32;
export const EXTENSION_VALUE_MAX_BYTES = 1_024;

/** More would bury the first, and a hostile event could make the answer larger than the request. */
export const VERDICT_MAX_ERRORS = 20;

/** Longest place of a fault that is told; a hostile key may be as long as the body. */
export const FAULT_PATH_MAX_CHARACTERS = 256;

/** An answer over Lambda's 6 MB would be lost although its events are queued; one this large lists one error an event. */
export const ANSWER_MAX_BYTES = 4 * MIB;

// ---- Queue ----------------------------------------------------------------------------------------------------------

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const MESSAGE_MAX_BYTES = 1 * MIB;

/** Kept free in a message for attributes, which count towards its size: a replay adds one, a renewal three. */
export const MESSAGE_ATTRIBUTES_RESERVE_BYTES = 8 * KIB;
export const SEND_BATCH_MAX_BYTES = 1 * MIB;
export const SEND_BATCH_MAX_ENTRIES = 10;

/**
 * Retention counts from the first enqueue also in the dead-letter queue, so the source keeps less than the dead-letter
 * queue: a message that moves on its last day has ten days left there.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 */
export const QUEUE_RETENTION_DAYS = 4;
export const DEAD_LETTER_RETENTION_DAYS = 14;

/**
 * Receives of one copy of a message before SQS moves it to the dead-letter queue. Failures that the consumer answered do
 * not come near it (REQUEUE_FROM_ATTEMPT), so it counts crashes, time-outs and throttling: 30 visibility timeouts are
 * three hours to mend or roll back, and one that only stood beside the culprit gets away first (docs/decisions/0005).
 */
export const MAX_RECEIVE_COUNT = 30;

/**
 * From this attempt on a failed message goes back to the queue as a new one, with a new receive count and retention. The
 * attempts before take five to twelve seconds and see most failures end; they only change its visibility: that is cheaper.
 */
export const REQUEUE_FROM_ATTEMPT = 5;

/**
 * Messages that come back, and renewed copies, are taken in this many turns, so that one that kills the function takes at most those of its
 * turn and of later ones along: about half of them. More turns would cost more calls and save few.
 */
export const ISOLATION_MAX_GROUPS = 10;

/** An event that was replayed so often will not be stored by once more: what is left is to correct it. */
export const MAX_REPLAYS = 5;

// ---- Functions ------------------------------------------------------------------------------------------------------

/** Validation plus one queue round trip with retries. Short, because each waiting request holds a function. */
export const INGEST_TIMEOUT_SECONDS = 10;

/** Kept free at the end of an invocation to build and return the answer. */
export const ANSWER_RESERVE_MS = 1_000;

/** Above the Data API's own limit of 45 s a statement, so that a slow statement ends there and is classified. */
export const CONSUME_TIMEOUT_SECONDS = 60;

/**
 * Kept free before the answer to bring failed messages back: a hundred calls for copies and a hundred deletions on a
 * third of a processor, then a second for the visibility of those that were not renewed. With the answer's second the
 * rule ends at 49 s, still above the Data API's 45 s. A shorter invocation keeps a fifth of its time.
 */
export const SETTLE_RESERVE_MS = 10_000;
export const SETTLE_RESERVE_SHARE = 1 / 5;

/** Groups of ten messages that are renewed at once: so many copies at most are in doubt when the time is up. */
export const REQUEUE_CALLS_IN_FLIGHT = 8;

/** One call's share of the time: a connection that hangs must not use up that of the next attempt. */
export const SQS_CALL_MS = 3_000;

/**
 * How long a dead-letter queue that takes nothing is asked. The message comes back with backoff anyway, and a consumer
 * that tried on to its end would keep good messages waiting.
 */
export const DEAD_LETTER_GIVE_UP_MS = 5_000;

/**
 * Calls of one kind at once. Each has its own share of the time (SQS_CALL_MS) from when it begins: a thousand at once on a
 * third of a processor would use it up waiting for each other, and one that is given up may have arrived all the same.
 */
export const SQS_CALLS_IN_FLIGHT = 16;

/** A chunk is not started with less time than this left; its messages come back as failed. */
export const CHUNK_MIN_REMAINING_MS = 5_000;

/** Under API Gateway's 29 s, with room for a database that resumes from 0 ACU (about 15 s). */
export const QUERY_TIMEOUT_SECONDS = 28;

/** Reads its own files and asks nobody. */
export const API_DOCS_TIMEOUT_SECONDS = 10;

/** A first deployment waits for a database that was just made; a large migration is split over statements of 45 s. */
export const MIGRATE_TIMEOUT_SECONDS = 300;

/**
 * Messages per invocation. One Data API call costs about 17 ms for 1 row or 1,000, so a batch is as large as one chunk
 * of one-event messages; fuller messages close the batch at Lambda's 6 MB instead.
 */
export const CONSUME_BATCH_MESSAGES = 1_000;

/** The longest wait for a batch to fill, and so the floor of accept-to-readable time; needed above 10 messages. */
export const CONSUME_WINDOW_SECONDS = 1;

/** Concurrent writers. Five keep a small Aurora busy and leave connections for queries. */
export const CONSUME_MAX_CONCURRENCY = 5;

/**
 * AWS asks for at least six times the function's timeout plus the batch window.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export const QUEUE_VISIBILITY_SECONDS = 6 * CONSUME_TIMEOUT_SECONDS + CONSUME_WINDOW_SECONDS + 9;

/**
 * The longest wait of a failed message, and so of the backlog after an outage. SQS delays a new message no longer.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html
 */
export const BACKOFF_MAX_SECONDS = 900;

// ---- Database -------------------------------------------------------------------------------------------------------

/**
 * Events of one call. Its 17 ms are then less than half of the insert's own time, and an answer that refuses every event
 * (at most 500 bytes each) stays below the Data API's 1 MiB. A bad event costs its block of 256, not its chunk
 * (functions/sql/0001_events.sql), so small chunks would save nothing.
 */
export const CHUNK_MAX_EVENTS = 2_000;

/**
 * The Data API takes 4 MiB per call, the JSON escaping of the parameter included.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html
 */
export const CHUNK_MAX_BYTES = 3.5 * MIB;

/** Conflicts that the log line of a batch names; all are counted, and a line may have 256 KB. */
export const CONFLICTS_MAX_NAMED = 20;

/** The Data API cancels a statement after 45 s; the client waits a little longer, or it would repeat a running one. */
export const STATEMENT_CLIENT_TIMEOUT_SECONDS = 50;

/** A result row may have 64 KB; 15,000 characters of at most four bytes stay below it. */
export const RESULT_PIECE_CHARACTERS = 15_000;

/** Partitions reach this far back (4 days in the queue, 14 in the dead-letter queue) and ahead (time to mend). */
export const PARTITION_DAYS_BACK = 18;
export const PARTITION_DAYS_AHEAD = 14;

// ---- Edge -----------------------------------------------------------------------------------------------------------

/** Stage throttle of the API, requests a second and burst; below the account's default of 10,000 and 5,000. */
export const API_RATE_LIMIT = 2_000;
export const API_BURST_LIMIT = 1_000;

/** What a client is told to wait when the queue or the database did not answer. */
export const RETRY_AFTER_SECONDS = 5;
