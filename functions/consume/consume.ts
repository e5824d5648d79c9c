import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import { CONFLICTS_MAX_NAMED, SETTLE_RESERVE_MS, SETTLE_RESERVE_SHARE } from "./limits.ts";
import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import { type IsolationDeps, type IsolationResult, isolate } from "./isolate.ts";
import { redeliver } from "./redeliver.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";

/**
 * The rule of the consumer. A message is done when each of its events is stored or dead-lettered (store-messages.ts). Any
 * other message is delivered again (redeliver.ts), and is then stored apart from new ones (isolate.ts).
 */
export function createConsume(deps: IsolationDeps): BatchRule {
  return async function consume(messages, until) {
    const now = deps.clock().getTime();
    const result = await isolate(messages, storeDeadline(until, now), deps);
    const { remaining, requeued } = await redeliver(result, until, deps);
    return { remaining, ...report(messages, result, requeued, deps.clock().getTime()) };
  };
}

/** Leaves time to redeliver failed messages and to answer. Whole milliseconds: timers refuse fractions. */
function storeDeadline(until: number, now: number): number {
  const settleReserve = Math.min(SETTLE_RESERVE_MS, Math.ceil((until - now) * SETTLE_RESERVE_SHARE));
  return until - ANSWER_RESERVE_MS - settleReserve;
}

function report(
  messages: readonly ReceivedMessage[],
  { failed, threw, errors, failure, conflicts, metrics }: IsolationResult,
  requeued: number,
  now: number,
): Omit<BatchOutcome, "remaining"> {
  const isStopped = failure?.disposition === "stop";
  const redelivered = [...failed, ...threw];
  const oldest = (some: readonly ReceivedMessage[]) =>
    Math.max(0, ...some.map(({ firstSentAt }) => now - firstSentAt)) / 1_000;
  return {
    ...(errors.length > 0 && { error: errors[0] }),
    level: isStopped ? "error" : redelivered.length > 0 ? "warn" : "info",
    fields: {
      failedMessages: redelivered.length,
      requeuedMessages: requeued,
      ...(failure !== undefined && {
        reason: failure.reason,
        sqlState: failure.sqlState,
        disposition: failure.disposition,
      }),
      ...(conflicts.length > 0 && {
        conflicts: conflicts
          .slice(0, CONFLICTS_MAX_NAMED)
          .map(({ tenant, source, id }) => ({ tenant, source, eventId: id })),
      }),
    },
    metrics: {
      ...metrics,
      MessagesFailed: redelivered.length,
      ConsumerStopped: isStopped ? 1 : 0,
      OldestFailedAgeSeconds: Math.round(oldest(redelivered)),
      StoreLagSeconds: oldest(messages),
    },
  };
}
