import type { BatchOutcome, BatchRule } from "./batch.ts";
import type { Clock } from "./ports.ts";

/** The time for a message that asks for a snapshot, within the reserve for the answer. */
export const ASK_MS = 400;

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
    isOwed ||= isChange(outcome);
    if (isOwed) {
      isOwed = !(await ask(clock().getTime() + ASK_MS));
      if (isOwed) onUnsent();
    }
    return outcome;
  };
}

/** Drain and replay report the open dead letters exactly where they may have changed the table. */
export const changesDeadLetters = ({ metrics }: Pick<BatchOutcome, "metrics">): boolean =>
  metrics.OpenDeadLetters !== undefined;
