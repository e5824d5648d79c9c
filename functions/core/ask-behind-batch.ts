import type { BatchOutcome, BatchRule } from "./batch.ts";
import type { Clock } from "./ports.ts";

/** The least time for a call behind a batch: two that follow one another are within the reserve for the answer. */
const LEAST_MS = 400;

/** The first call of a process may have to open a connection, on a share of a processor. */
const MOST_MS = 5_000;

/** Kept free for the answer of the invocation. */
const ANSWER_MS = 1_000;

/**
 * The deadline of a call behind a batch, ms since the epoch: half of the time that is left before the function is stopped at `until`.
 * Where a call behind the last batch failed it is the least, so that batches are stored as fast while a service does not answer.
 */
export function deadlineBehindBatch(now: number, until: number, hasFailed: boolean): number {
  return now + (hasFailed ? LEAST_MS : Math.min(Math.max((until - now - ANSWER_MS) / 2, LEAST_MS), MOST_MS));
}

export type AskForLedger = (deadline: number) => Promise<boolean>;

/**
 * Asks for a snapshot of the ledger behind each batch that may have changed it (ask-for-ledger.ts). What was not asked for is behind the
 * next batch. A process that is killed between its commit and the request gets its messages again, and asks then. It never fails a batch.
 */
export function askBehindBatch<Message>(
  rule: BatchRule<Message>,
  {
    ask,
    clock,
    isChange,
    onUnsent,
  }: {
    ask: AskForLedger;
    clock: Clock;
    isChange: (outcome: BatchOutcome<Message>) => boolean;
    /** The queue did not confirm the request. */
    onUnsent: () => void;
  },
): BatchRule<Message> {
  let isOwed = false;
  return async (messages, until) => {
    const outcome = await rule(messages, until);
    const hasFailed = isOwed;
    isOwed ||= isChange(outcome);
    if (isOwed) {
      isOwed = !(await ask(deadlineBehindBatch(clock().getTime(), until, hasFailed)));
      if (isOwed) onUnsent();
    }
    return outcome;
  };
}

/** Drain and replay report the open dead letters exactly where they may have changed the table. */
export const changesDeadLetters = ({ metrics }: Pick<BatchOutcome, "metrics">): boolean =>
  metrics.OpenDeadLetters !== undefined;
