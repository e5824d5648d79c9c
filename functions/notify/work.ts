import { DatabaseError } from "../core/errors.ts";
import { BACKOFF_MAX_SECONDS } from "../core/queue-limits.ts";
import type { Wakes } from "../core/wakes.ts";
import { type CheckMarkDeps, createCheckMark } from "./check-mark.ts";
import {
  FAILING_WAIT_MAX_SECONDS,
  OPEN_WAIT_MAX_SECONDS,
  OUTAGE_WAIT_MAX_SECONDS,
  ROUND_RESERVE_MS,
} from "./limits.ts";
import { type NoticeCounts, sendNotices, type SendNoticesDeps } from "./notices.ts";
import { type Round, type RoundDeps, runRound } from "./round.ts";

export type WorkDeps = RoundDeps & CheckMarkDeps & SendNoticesDeps & { wakes: Wakes };

/** `tries`: that of the wake-up. `isRepeated`: an earlier round of it may have planned a wake-up and not sent it. */
export type Woken = { tries: number; isRepeated: boolean };

/** `isWakeSure`: the next wake-up is confirmed, or none is needed. An outage is waited for; any other `failure` is an error. */
export type WorkOutcome = Omit<Round, "dueAt" | "isOpen" | "isTimeOver" | "hasNotices"> &
  NoticeCounts & { isWakeSure: boolean };

/**
 * The work of one wake-up: a round (round.ts), its notices, and then the wake-up for what waits: at once where time was over, and else
 * when something is due. Two workers at once share the deliveries. With nothing to wait for, no wake-up is sent.
 */
export function createWork(deps: WorkDeps) {
  const { wakes, clock } = deps;
  const checkMark = createCheckMark(deps);

  return async function work({ tries, isRepeated }: Woken, until: number): Promise<WorkOutcome> {
    const deadline = until - ROUND_RESERVE_MS / 4;
    const { dueAt, isOpen, isTimeOver, hasNotices, ...round } = await runRound(deps, until);
    let notices: NoticeCounts = { warned: 0, disabled: 0, unsent: 0 };
    const doubled = (mostSeconds: number) => Math.min(2 ** Math.min(tries, 20), mostSeconds);
    const ended = (isWakeSure: boolean, failure = round.failure) => ({ ...round, ...notices, failure, isWakeSure });

    const repeated = (mayBePlanned: boolean) => (mayBePlanned ? { isRepeated: true as const } : {});
    const wakeAfterOutage = (mayBePlanned = isRepeated) =>
      wakes.send({ tries: tries + 1, ...repeated(mayBePlanned) }, doubled(OUTAGE_WAIT_MAX_SECONDS), deadline);

    /** Killed between the plan and the sending, the messages of this round come again; then it is sent whatever is planned. */
    async function wakeLater(): Promise<boolean> {
      const now = clock().getTime();
      const openAt = isOpen && round.subscriptions > 0 ? now + doubled(OPEN_WAIT_MAX_SECONDS) * 1_000 : Infinity;
      const failingAt = round.failing.length > 0 ? now + doubled(FAILING_WAIT_MAX_SECONDS) * 1_000 : Infinity;
      const noticesAt = notices.unsent > 0 ? now + doubled(OUTAGE_WAIT_MAX_SECONDS) * 1_000 : Infinity;
      const againAt = Math.min(openAt, failingAt, noticesAt);
      const at = Math.min(againAt, dueAt);
      if (at === Infinity) return true;
      const planned = new Date(at).toISOString();
      if (!(await deps.work.planWake(planned, deadline)) && !isRepeated) return true;
      const wake = { until: planned, ...(at === againAt && { tries: tries + 1 }) };
      return wakes.send(wake, delayUntil(planned, now), deadline);
    }

    if (round.failure !== undefined) {
      if (!isPassing(round.failure)) return ended(false);
      return ended(await wakeAfterOutage());
    }
    try {
      if (hasNotices) notices = await sendNotices(deps, deadline);
      await checkMark(round.subscriptions, deadline);
      if (!isTimeOver) return ended(await wakeLater());
      // A database that is too slow for the time of a round shall not be asked without a pause.
      const isStuck = round.matched + round.taken + round.delivered + round.later + round.failed === 0;
      return ended(await (isStuck ? wakeAfterOutage() : wakes.send(repeated(isRepeated), 0, deadline)));
    } catch (error) {
      if (!isPassing(error)) return ended(false, error);
      // The answer may be lost of a plan that was written.
      return ended(await wakeAfterOutage(true), error);
    }
  };
}

/** An outage, which ends by itself. */
export const isPassing = (error: unknown): boolean => error instanceof DatabaseError && error.disposition === "retry";

/** The delay of a wake-up that waits, in seconds: after the longest of SQS it is sent again for the rest. */
export function delayUntil(until: string, now: number): number {
  return Math.min(Math.max(Math.ceil((Date.parse(until) - now) / 1_000), 0), BACKOFF_MAX_SECONDS);
}
