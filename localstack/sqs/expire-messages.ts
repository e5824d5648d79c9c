import type { Queue } from "./fauxqs.ts";

const MILLISECONDS_PER_SECOND = 1000;

/** A look at each message of a long queue takes milliseconds, which no receive should wait for. */
const LOOK_EVERY_MILLISECONDS = 1000;

const lookedAt = new WeakMap<Queue, number>();

/**
 * Deletes the messages that are older than the queue's retention, counted from their send time (also in a dead-letter
 * queue). fauxqs keeps the attribute but never applies it. Called before each receive; it looks once a second.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 */
export function expireMessages(queue: Queue, now: number): void {
  if (Math.abs(now - (lookedAt.get(queue) ?? 0)) < LOOK_EVERY_MILLISECONDS) return;
  lookedAt.set(queue, now);
  const oldest = now - Number(queue.attributes["MessageRetentionPeriod"]) * MILLISECONDS_PER_SECOND;
  const expired = queue.messages.filter(({ sentTimestamp }) => sentTimestamp < oldest);
  if (expired.length === 0) return;
  queue.messages = queue.messages.filter(({ sentTimestamp }) => sentTimestamp >= oldest);
  for (const { messageId } of expired) queue.persistence?.deleteMessage(messageId);
}
