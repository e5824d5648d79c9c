import { ANSWER_RESERVE_MS, REQUEUE_FROM_ATTEMPT } from "../core/limits.ts";
import type { ReceivedMessages } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { backoffSeconds } from "./backoff.ts";
import type { IsolationResult } from "./isolate.ts";

/**
 * Lets failed messages be delivered again after their backoff. SQS counts receives: crashes are to use them up, an outage
 * is not. So a message that failed goes back as a new one from some attempt on. A message on which storing threw counts
 * as a crash: it keeps its receive count, and its visibility timeout too once the error does not pass.
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
