import {
  CONSUME_TIMEOUT_SECONDS,
  CONSUME_WINDOW_SECONDS,
  DRAIN_TIMEOUT_SECONDS,
  DRAIN_WINDOW_SECONDS,
  EXPORT_TIMEOUT_SECONDS,
  NOTIFY_TIMEOUT_SECONDS,
  REPLAY_TIMEOUT_SECONDS,
  RETAIN_TIMEOUT_SECONDS,
  STATUS_TIMEOUT_SECONDS,
  STATUS_WINDOW_SECONDS,
} from "./function-limits.ts";
import { KIB, MIB } from "./limits.ts";

/** The limits of SQS, and the settings of the queues. */

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const MESSAGE_MAX_BYTES = 1 * MIB;
export const SEND_BATCH_MAX_BYTES = 1 * MIB;
export const SEND_BATCH_MAX_ENTRIES = 10;

/** Kept free in a message for attributes, which count towards its size, and the mark of the body: a replay adds one, a requeue three. */
export const MESSAGE_ATTRIBUTES_RESERVE_BYTES = 8 * KIB;

/**
 * Retention counts from the first send also in the dead-letter queue, so the event queue keeps messages for less: a
 * message that moves on its last day has ten days left there.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 */
export const QUEUE_RETENTION_DAYS = 4;
export const DEAD_LETTER_RETENTION_DAYS = 14;

/**
 * Receives of one copy of a message before SQS moves it to the dead-letter queue. Failures that the consumer handles do
 * not come near it (REQUEUE_FROM_ATTEMPT), so it counts crashes, time-outs and throttling: 30 visibility timeouts are
 * three hours to repair or roll back, and the neighbours of a poison message are stored first (docs/decisions/0005).
 */
export const MAX_RECEIVE_COUNT = 30;

/**
 * The visibility timeout of the event queue. AWS asks for at least six times the function's timeout plus the batch window,
 * which is 361 s; this is the next number of whole tens.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export const QUEUE_VISIBILITY_SECONDS = Math.ceil((6 * CONSUME_TIMEOUT_SECONDS + CONSUME_WINDOW_SECONDS) / 10) * 10;

/** The same of the dead-letter queue, for drain. */
export const DEAD_LETTER_VISIBILITY_SECONDS = Math.ceil((6 * DRAIN_TIMEOUT_SECONDS + DRAIN_WINDOW_SECONDS) / 10) * 10;

/**
 * The age from which drain requeues a message, half of the queue's retention: its copy is as new, and a message that meets
 * nothing but failures is requeued long before SQS deletes it.
 */
export const DEAD_LETTER_REQUEUE_AGE_MS = (DEAD_LETTER_RETENTION_DAYS * 86_400_000) / 2;

/** Recording a chunk is not started with less time than this left; its messages fail. */
export const RECORD_MIN_REMAINING_MS = 5_000;

/** The visibility timeout of the queue of export steps: six times the function's timeout, as above. */
export const EXPORT_VISIBILITY_SECONDS = 6 * EXPORT_TIMEOUT_SECONDS;

/** Receives of one message of an export step. The job fails at the last one, so only a message that ends the function comes further. */
export const EXPORT_MAX_RECEIVE_COUNT = 6;

/** The same for the queue of replay steps. A message that is received too often waits in its dead-letter queue, and the job with it. */
export const REPLAY_VISIBILITY_SECONDS = 6 * REPLAY_TIMEOUT_SECONDS;
export const REPLAY_MAX_RECEIVE_COUNT = 6;

/** The same for the queue of the steps of retention. The next daily run goes on with what a message that is lost has left. */
export const RETAIN_VISIBILITY_SECONDS = 6 * RETAIN_TIMEOUT_SECONDS;
export const RETAIN_MAX_RECEIVE_COUNT = 6;

/**
 * The same for the queue of wake-ups. Outages send them again as new ones, so receives count crashes; three hours of them, as of the
 * event queue.
 */
export const NOTIFY_VISIBILITY_SECONDS = 6 * NOTIFY_TIMEOUT_SECONDS;
export const NOTIFY_MAX_RECEIVE_COUNT = 30;

/** The same for the queue of `status`, as of wake-ups. */
export const STATUS_VISIBILITY_SECONDS = 6 * STATUS_TIMEOUT_SECONDS + STATUS_WINDOW_SECONDS;
export const STATUS_MAX_RECEIVE_COUNT = 30;

/** The time of one call. A connection that hangs ends with it, and leaves time for another attempt. */
export const SQS_CALL_MS = 3_000;

/**
 * Calls of one kind at once. A thousand at once would share a third of a processor, and most would end at SQS_CALL_MS
 * without an answer, although SQS may have done what they asked.
 */
export const SQS_CALLS_IN_FLIGHT = 16;

/**
 * The longest wait of a failed message, and so of the backlog after an outage. SQS delays a new message no longer.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html
 */
export const BACKOFF_MAX_SECONDS = 900;

/** Batches of ten messages that are requeued at once: so many copies at most are in doubt when the time is up. */
export const REQUEUE_CALLS_IN_FLIGHT = 8;

/**
 * The time for a dead-letter queue that accepts nothing. The message is delivered again with backoff anyway, and a consumer
 * that tried until its end would keep good messages waiting.
 */
export const DEAD_LETTER_GIVE_UP_MS = 5_000;

/** After this many failed replays an event needs correcting, not another replay. */
export const MAX_REPLAYS = 5;
