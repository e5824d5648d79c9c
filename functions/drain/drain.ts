import { backoffSeconds } from "../core/backoff.ts";
import type { BatchRule } from "../core/batch.ts";
import type { DeadLetterStore } from "../core/dead-letter-table.ts";
import { DatabaseError } from "../core/errors.ts";
import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import type { Clock, ReceivedMessages } from "../core/ports.ts";
import { DEAD_LETTER_REQUEUE_AGE_MS } from "../core/queue-limits.ts";
import type { ReceivedDeadLetter } from "../core/queue-message.ts";
import { createRecordMessages, type RecordResult } from "./record-messages.ts";

export type DrainDeps = {
  store: DeadLetterStore;
  queue: ReceivedMessages<ReceivedDeadLetter>;
  clock: Clock;
  /** From 0 (included) to 1 (excluded). */
  random: () => number;
};

/**
 * The rule of drain. A message is done when all of its dead letters are recorded; any other message stays in the queue and is
 * delivered again after a backoff. A message that SQS would delete before long is not recorded but requeued first of all,
 * whatever happens to the invocation after that: its copy is young, and is recorded by the next one.
 */
export function createDrain(deps: DrainDeps): BatchRule<ReceivedDeadLetter> {
  const { queue, clock, random } = deps;
  const recordMessages = createRecordMessages(deps);
  return async function drain(messages, until) {
    const now = clock().getTime();
    const withBackoff = (message: ReceivedDeadLetter) => ({
      ...message,
      seconds: backoffSeconds(message.receiveCount, random()),
    });
    const old = messages.filter(({ sentAt }) => now - sentAt >= DEAD_LETTER_REQUEUE_AGE_MS);
    const requeued =
      old.length === 0 ? new Set<string>() : await queue.requeue(old.map(withBackoff), until - RECORD_RESERVE_MS);
    const result = await recordMessages(
      messages.filter(({ messageId }) => !requeued.has(messageId)),
      until - 2 * ANSWER_RESERVE_MS,
    );
    await queue.changeVisibility(result.failed.map(withBackoff), until - ANSWER_RESERVE_MS);
    return { remaining: result.failed, ...report(result, requeued.size, clock().getTime()) };
  };
}

/** Kept free for recording while old messages are requeued. */
const RECORD_RESERVE_MS = 30_000;

function report({ failed, failure, error, recorded, open }: RecordResult, requeued: number, now: number) {
  const isStopped = failure?.disposition === "stop";
  const counts = { DeadLettersRecorded: recorded };
  return {
    ...(error !== undefined && { error }),
    level: isStopped ? ("error" as const) : failed.length > 0 ? ("warn" as const) : ("info" as const),
    fields: {
      failedMessages: failed.length,
      requeuedMessages: requeued,
      ...(failure instanceof DatabaseError && {
        reason: failure.reason,
        sqlState: failure.sqlState,
        disposition: failure.disposition,
      }),
    },
    metrics: {
      ...counts,
      ...(open !== undefined && { OpenDeadLetters: open }),
      MessagesFailed: failed.length,
      OldestFailedAgeSeconds: Math.max(0, ...failed.map(({ sentAt }) => Math.round((now - sentAt) / 1_000))),
    },
  };
}
