import { AccessError } from "../core/access.ts";
import { DatabaseError } from "../core/errors.ts";
import type { Clock, EventQueue } from "../core/ports.ts";
import {
  isFinished,
  type ReplayFailure,
  type ReplayJob,
  type ReplayState,
  type ReplayStep,
  type ReplaySteps,
  type ReplayWork,
  type Take,
} from "../core/replay-job.ts";
import {
  REPLAY_ABSENT_ATTEMPTS,
  REPLAY_NO_PROGRESS_HOURS,
  REPLAY_RETRY_FIRST_SECONDS,
  REPLAY_RETRY_MAX_SECONDS,
  REPLAY_STEP_MS,
  REPLAY_STEP_RESERVE_MS,
} from "../core/replay-limits.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { WorkCheck } from "../core/work-allowed.ts";
import { createSendUnsent } from "./send-unsent.ts";
import { createSettle } from "./settle.ts";

export type StepDeps = {
  work: ReplayWork;
  steps: ReplaySteps;
  /** The queue that a job sends to. */
  queueOf: (to: string | undefined) => EventQueue;
  whyEnded: WorkCheck;
  clock: Clock;
  /** Waits so many milliseconds. */
  wait: (milliseconds: number) => Promise<unknown>;
};

/** The result of a step's message: `unsent` stays in the queue, the others are done with. */
export type StepOutcome =
  | { kind: "absent" | "unsent" | "postponed" }
  | { kind: "over"; open: number }
  | { kind: "continued"; sent: number; open: number }
  | { kind: "ended"; state: ReplayState; reason?: ReplayFailure | undefined; sent: number; open: number }
  | { kind: "settled"; unsettled: number; open: number }
  | { kind: "looked"; unsettled: number }
  | { kind: "retried"; reason: string };

type TakeOrEnd = Exclude<Take, { kind: "cancelled" }> | { kind: "ended"; end: End };

type End = { state: ReplayState; reason?: ReplayFailure; detail?: string };

/** The clocks of the function and the database, and the time of a call. */
const LEASE_MARGIN_MS = 5_000;

/**
 * Works on a job: takes open dead letters, sends what is taken and not marked, and marks it, again and again until its time
 * is over. Whatever ends a step leaves rows that are taken and not marked, and its message, which is delivered again: the
 * next step sends those first. A job ends when all that it took is sent, whatever was wanted meanwhile.
 */
export function createReplayStep({ work, steps, queueOf, whyEnded, clock, wait }: StepDeps) {
  const settle = createSettle({ work, steps, clock });

  /** @param until when the function is stopped @throws any error that is no failure of a service */
  return async function step(message: ReplayStep, received: Holder, until: number): Promise<StepOutcome> {
    const deadline = until - LEASE_MARGIN_MS / 2;
    try {
      if (message.looks !== undefined) return await settle.look(message, deadline);
      const seconds = Math.ceil((until - clock().getTime() + LEASE_MARGIN_MS) / 1_000);
      const held = await work.hold(message.id, received.messageId, seconds, deadline);
      switch (held.kind) {
        case "absent":
          // The request that starts the job may write it later than its message comes.
          if ((message.attempts ?? 0) >= REPLAY_ABSENT_ATTEMPTS) return { kind: "absent" };
          return retry(message, "the job is not written yet", deadline);
        case "over":
          // A step that was killed behind the end of its job has not begun to look.
          if (!(await settle.begin(held.job, deadline))) return { kind: "unsent" };
          return { kind: "over", open: await work.countOpen(deadline) };
        case "leased":
          return (await steps.send(message, held.seconds, deadline)) ? { kind: "postponed" } : { kind: "unsent" };
        case "held":
          return await workOn(held.job, { ...message, holder: received.messageId }, deadline);
      }
    } catch (error) {
      if (!(error instanceof DatabaseError || error instanceof AccessError)) throw error;
      return retry(message, error.message, deadline);
    }
  };

  async function workOn(job: ReplayJob, step: ReplayStep & { holder: string }, deadline: number): Promise<StepOutcome> {
    const stopAt = Math.min(clock().getTime() + REPLAY_STEP_MS, deadline - REPLAY_STEP_RESERVE_MS);
    const sending = createSendUnsent({ work, queue: queueOf(job.request.to), clock, wait }, job, stopAt);
    let end = await endOf(job);
    let isAtEnd = end !== undefined;
    for (;;) {
      const { failed, isInterrupted } = await sending.send(deadline);
      if (failed > 0) return notSent(job, step, sending.sent, deadline);
      if (isAtEnd && !isInterrupted) return finish(job, end ?? { state: "done" }, sending.sent, deadline);
      if (isInterrupted || clock().getTime() >= stopAt) break;
      const most = Math.max(Math.floor(((job.request.rate ?? Infinity) * (stopAt - clock().getTime())) / 1_000), 1);
      const take = await takeOrEnd(job, { holder: step.holder, most }, deadline);
      if (take.kind === "lost") return retry(step, "another step holds the job", deadline);
      if (take.kind === "ended") end = take.end;
      isAtEnd = take.kind === "ended" || take.isAtEnd;
    }
    const open = await work.countOpen(deadline);
    await work.release(job.id, step.holder, deadline);
    const isSent = await steps.send({ id: job.id }, sending.secondsDue(), deadline);
    return isSent ? { kind: "continued", sent: sending.sent, open } : { kind: "unsent" };
  }

  /** Why a job takes no more. */
  async function endOf(job: ReplayJob): Promise<End | undefined> {
    if (job.isCancelling) return CANCELLED;
    const ended = await whyEnded(job, "dead-letters:replay");
    return ended && { state: "failed", ...ended };
  }

  /** An answer of the database that no waiting changes ends the job; an outage does not. */
  async function takeOrEnd(job: ReplayJob, by: { holder: string; most: number }, deadline: number): Promise<TakeOrEnd> {
    try {
      const take = await work.take(job, by, deadline);
      return take.kind === "cancelled" ? { kind: "ended", end: CANCELLED } : take;
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.isOutage) throw error;
      return { kind: "ended", end: REFUSED };
    }
  }

  async function finish(job: ReplayJob, end: End, sent: number, deadline: number): Promise<StepOutcome> {
    const ended = await work.end(job.id, end, deadline);
    if (!isFinished(ended)) return retry({ id: job.id }, "something is not sent yet", deadline);
    if (!(await settle.begin(ended, deadline))) return { kind: "unsent" };
    return { kind: "ended", state: ended.state, reason: end.reason, sent, open: await work.countOpen(deadline) };
  }

  /** The queue has not confirmed everything: what is not marked is sent again, and after a day it is open again. */
  async function notSent(job: ReplayJob, step: ReplayStep & { holder: string }, sent: number, deadline: number) {
    const waitedMs = clock().getTime() - Date.parse(job.progressAt);
    if (sent === 0 && waitedMs > REPLAY_NO_PROGRESS_HOURS * HOUR_MS) {
      const detail = `The queue confirmed nothing for ${REPLAY_NO_PROGRESS_HOURS} hours. What was not sent is open again.`;
      const end = { state: "failed" as const, reason: "not_sent" as const, detail, givesBack: true };
      return finish(job, end, sent, deadline);
    }
    await work.release(job.id, step.holder, deadline);
    return retry(
      { id: job.id, attempts: sent > 0 ? 0 : step.attempts },
      "the queue did not confirm everything",
      deadline,
    );
  }

  /**
   * Sends the message of another attempt, later each time. It has no end: what was taken must be sent, however long an outage is.
   */
  async function retry(step: ReplayStep, reason: string, deadline: number): Promise<StepOutcome> {
    const { id, looks, attempts = 0 } = step;
    const seconds = Math.min(REPLAY_RETRY_FIRST_SECONDS * 2 ** Math.min(attempts, 10), REPLAY_RETRY_MAX_SECONDS);
    const isSent = await steps.send({ id, looks, attempts: attempts + 1 }, seconds, deadline);
    return isSent ? { kind: "retried", reason } : { kind: "unsent" };
  }
}

type Holder = Pick<ReceivedMessage, "messageId">;

const HOUR_MS = 3_600_000;

const CANCELLED: End = { state: "cancelled" };
const REFUSED: End = { state: "failed", reason: "refused", detail: "The database refuses the filter of this job." };
