import { REQUEUE_FROM_ATTEMPT } from "./limits.ts";
import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import type { ReceivedMessages } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { backoffSeconds } from "../core/backoff.ts";
import type { IsolationResult } from "./isolate.ts";

/**
 * Lets failed messages be delivered again after their backoff. SQS dead-letters a message after too many receives, which
 * shall count crashes and not the attempts of an outage: a failed message is requeued from REQUEUE_FROM_ATTEMPT on, and
 * its copy starts at no receives. A message on which storing threw is never requeued, so its receives count as crashes do.
 * It gets the backoff in its first attempts, and later the visibility timeout of the queue.
 * See docs/decisions/0005-outages-and-crashes.md.
 * @param until when the function is stopped, ms since the epoch
 * @returns the messages that stay in the queue as they are, and the number that was requeued
 */
export async function redeliver(
  { failed, threw }: Pick<IsolationResult, "failed" | "threw">,
  until: number,
  { queue, random }: { queue: ReceivedMessages; random: () => number },
): Promise<{ remaining: ReceivedMessage[]; requeued: number }> {
  const withBackoff = (message: ReceivedMessage) => ({
    ...message,
    seconds: backoffSeconds(message.attempts, random()),
  });
  const isLate = ({ attempts }: ReceivedMessage) => attempts >= REQUEUE_FROM_ATTEMPT;
  const delayed = failed.map(withBackoff);
  const requeued = await queue.requeue(delayed.filter(isLate), until - 2 * ANSWER_RESERVE_MS);
  const remaining = delayed.filter(({ messageId }) => !requeued.has(messageId));
  const threwEarly = threw.filter((message) => !isLate(message)).map(withBackoff);
  await queue.changeVisibility([...remaining, ...threwEarly], until - ANSWER_RESERVE_MS);
  return { remaining, requeued: requeued.size };
}
