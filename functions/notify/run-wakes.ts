import * as z from "zod/mini";
import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import type { Clock, ReceivedMessages } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { readJson } from "../core/read-json.ts";
import type { Wake, Wakes } from "../core/wakes.ts";
import { KILLED_AGAIN_RECEIVES, KILLED_AGAIN_SECONDS } from "./limits.ts";
import { delayUntil, isPassing, type Woken, type WorkOutcome } from "./work.ts";

const message = z.object({
  until: z.optional(z.iso.datetime()),
  tries: z.optional(z.int().check(z.nonnegative())),
  isRepeated: z.optional(z.literal(true)),
});

export type RunWakesDeps = {
  work: (woken: Woken, until: number) => Promise<WorkOutcome>;
  wakes: Wakes;
  /** The received messages of the queue of wake-ups. */
  received: Pick<ReceivedMessages, "changeVisibility">;
  /** The visibility timeout of that queue. */
  visibilitySeconds: number;
  clock: Clock;
};

/**
 * Handles the wake-ups of an invocation. One that waits is sent again for the rest of its wait, and touches no database; the others
 * together are one round. A message that is no wake-up stays, and becomes a dead letter.
 *
 * A worker that is killed with nobody else at work is missed until its messages come again: soon after the time at which it would have been stopped.
 * Messages that come again often, or that a round leaves in the queue, wait for the visibility timeout: else they would be dead letters soon.
 */
export function createRunWakes({ work, wakes, received, visibilitySeconds, clock }: RunWakesDeps): BatchRule {
  const hideFor = (messages: readonly ReceivedMessage[], seconds: number, until: number) =>
    received.changeVisibility(
      messages.map((message) => ({ ...message, seconds })),
      until - ANSWER_RESERVE_MS,
    );

  return async (messages, until) => {
    const now = clock().getTime();
    const read = messages.map((each) => ({ message: each, wake: readJson(message, each.body) }));
    const remaining = read.flatMap(({ message, wake }) => (wake === undefined ? [message] : []));
    const known = read.flatMap(({ message, wake }) => (wake === undefined ? [] : [{ message, wake }]));
    const [waiting, due] = [
      known.filter(({ wake }) => isWaiting(wake, now)),
      known.filter(({ wake }) => !isWaiting(wake, now)),
    ];

    // Copies of one wake-up go on as one.
    for (const [at, copies] of Map.groupBy(waiting, ({ wake }) => wake.until ?? "")) {
      const wake = copies[0]?.wake ?? {};
      const isSent = await wakes.send(wake, delayUntil(at, now), until - ANSWER_RESERVE_MS);
      if (!isSent) remaining.push(...copies.map(({ message }) => message));
    }
    const outcome: BatchOutcome = {
      remaining,
      level: remaining.length > 0 ? "warn" : "info",
      fields: { failedMessages: remaining.length, requeuedMessages: waiting.length },
      metrics: {},
    };
    if (due.length === 0) return outcome;

    const secondsAgain = Math.ceil((until - now) / 1_000) + KILLED_AGAIN_SECONDS;
    const soonAgain = due.flatMap(({ message }) =>
      message.receiveCount <= KILLED_AGAIN_RECEIVES && secondsAgain < visibilitySeconds ? [message] : [],
    );
    const hiding = soonAgain.length > 0 ? hideFor(soonAgain, secondsAgain, until) : undefined;
    const tries = Math.min(...due.map(({ wake }) => wake.tries ?? 0));
    const isRepeated = due.some(({ message, wake }) => message.receiveCount > 1 || wake.isRepeated === true);
    const { isWakeSure, failure, ...round } = await work({ tries, isRepeated }, until);
    await hiding;
    if (!isWakeSure) {
      outcome.remaining.push(...due.map(({ message }) => message));
      if (hiding !== undefined) await hideFor(soonAgain, visibilitySeconds, until);
    }
    if (!isWakeSure || failure !== undefined || round.failing.length + round.unsent > 0) outcome.level = "warn";
    if (failure !== undefined && !isPassing(failure)) outcome.error = failure;
    outcome.fields.failedMessages = outcome.remaining.length;
    outcome.fields.deliveries = round;
    outcome.metrics = {
      DeliveriesMatched: round.matched,
      DeliveriesDelivered: round.delivered,
      DeliveriesFailed: round.failed,
      DeliveriesRetried: round.later,
      SubscriptionsDisabled: round.disabled,
      SubscriptionsFailing: round.warned,
      FiltersFailing: round.failing.length,
      ...(round.lagMs !== undefined && { DeliveryLagSeconds: Math.round(round.lagMs / 1_000) }),
    };
    return outcome;
  };
}

const isWaiting = ({ until }: Wake, now: number): boolean => until !== undefined && Date.parse(until) > now;
