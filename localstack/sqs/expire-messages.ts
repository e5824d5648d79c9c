import type { Queue } from "./fauxqs.ts";

const MILLISECONDS_PER_SECOND = 1000;

/**
 * Deletes the messages that are older than the queue's retention, counted from their send time (also in a dead-letter
 * queue). fauxqs keeps the attribute but never applies it. Called before each receive.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 */
export function expireMessages(queue: Queue, now: number): void {
  const oldest = now - Number(queue.attributes["MessageRetentionPeriod"]) * MILLISECONDS_PER_SECOND;
  const expired = queue.messages.filter(({ sentTimestamp }) => sentTimestamp < oldest);
  if (expired.length === 0) return;
  queue.messages = queue.messages.filter(({ sentTimestamp }) => sentTimestamp >= oldest);
  for (const { messageId } of expired) queue.persistence?.deleteMessage(messageId);
}
