/** The limits of the consumer for messages that fail (docs/decisions/0005-outages-and-crashes.md). */

/**
 * From this attempt on a failed message is requeued: it gets a new receive count and retention. The attempts before take
 * five to twelve seconds and see most failures end; they only change its visibility timeout, which is cheaper.
 */
export const REQUEUE_FROM_ATTEMPT = 5;

/**
 * At most this many isolation groups per invocation. A crash loses its own group and the later ones: half of the batch on
 * average. More groups would cost more calls and save few messages.
 */
export const ISOLATION_MAX_GROUPS = 10;

/** A chunk is not started with less time than this left; its messages fail. */
export const CHUNK_MIN_REMAINING_MS = 5_000;

/**
 * Kept free before the answer to redeliver failed messages: a hundred calls for copies and a hundred deletions on a third
 * of a processor, then a second for the visibility timeouts of the others. With the answer's second, storing ends at
 * 49 s, still above the Data API's 45 s. A shorter invocation keeps a fifth of its time.
 */
export const SETTLE_RESERVE_MS = 10_000;
export const SETTLE_RESERVE_SHARE = 1 / 5;

/** Conflicts that the log line of a batch names; all are counted, and a line may have 256 KB. */
export const CONFLICTS_MAX_NAMED = 20;
