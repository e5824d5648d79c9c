import { MIB } from "./limits.ts";
import { DEAD_LETTER_RETENTION_DAYS, QUEUE_RETENTION_DAYS } from "./queue-limits.ts";

/** The limits of the Data API, and the days that have a partition. */

/**
 * Events of one call. A call costs 17 ms whatever it holds, which is less than half of the time that 2,000 inserts take. A
 * result that refuses every event (at most 500 bytes each) stays below the Data API's 1 MiB. Smaller chunks would save
 * nothing where an event is refused: only its block of 256 is stored again (functions/sql/0001_events.sql).
 */
export const CHUNK_MAX_EVENTS = 2_000;

/**
 * The Data API takes 4 MiB per call, the JSON escaping of the parameter included.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html
 */
export const CHUNK_MAX_BYTES = 3.5 * MIB;

/** The Data API cancels a statement after 45 s; the client waits a little longer, or it would repeat a running one. */
export const STATEMENT_CLIENT_TIMEOUT_SECONDS = 50;

/** A result row may have 64 KB; 15,000 characters of at most four bytes stay below it. */
export const RESULT_PIECE_CHARACTERS = 15_000;

/** Partitions reach back as far as a message can be delivered late, and ahead by the time to repair what creates them. */
export const PARTITION_DAYS_BACK = QUEUE_RETENTION_DAYS + DEAD_LETTER_RETENTION_DAYS;
export const PARTITION_DAYS_AHEAD = 14;

/** Days whose tables one transaction makes: with all classes some hundred tables, each with locks of its own. */
export const PARTITION_DAYS_AT_ONCE = 11;

/** Each waits for a lock for two seconds; the locks that it waits for are held for milliseconds. */
export const PARTITION_LOCK_ATTEMPTS = 5;

/** Parts of deltas that one statement merges: some four seconds, far below the Data API's 45. */
export const COMPACT_MAX_PARTS = 50_000;

/** Minutes whose deltas are not merged yet: most events of a minute are stored within seconds. */
export const ROLLUP_SETTLED_HOURS = 1;

/** The time for merging and comparing rollups in a run of migrate, which a deployment waits for. */
export const ROLLUP_UPKEEP_SECONDS = 120;

/**
 * The numbers of a producer of which nothing arrived for so long are forgotten, and only counted: SQS deletes a message after 14
 * days, and the table `status` forgets what the producer has sent after 20.
 */
export const PRODUCER_SILENT_DAYS = 21;

/** Differences of rollups that a log line names. */
export const ROLLUP_DIFFERENCES_MAX_NAMED = 10;

/** Closed dead letters that one statement deletes: less than a second. */
export const DEAD_LETTERS_DELETED_AT_ONCE = 5_000;

/** Finished deliveries, or those of removed subscriptions, that one statement deletes: less than a second. */
export const DELIVERIES_DELETED_AT_ONCE = 5_000;

/** The time for the upkeep of deliveries in a run of migrate, which a deployment waits for. */
export const DELIVERY_UPKEEP_SECONDS = 60;
