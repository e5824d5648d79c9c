import { AccessError } from "../core/access.ts";
import { ArchiveError } from "../core/archive-manifest.ts";
import type {
  ErasureFailure,
  ErasureJob,
  ErasureState,
  ErasureStep,
  ErasureSteps,
  ErasureWork,
} from "../core/erasure-job.ts";
import {
  ERASURE_ABSENT_ATTEMPTS,
  ERASURE_RETRY_FIRST_SECONDS,
  ERASURE_RETRY_MAX_SECONDS,
  ERASURE_SETTLE_SECONDS,
  ERASURE_START_DELAY_SECONDS,
  ERASURE_STEP_MS,
  ERASURE_STEP_RESERVE_MS,
} from "../core/erasure-limits.ts";
import { type ErasedObjects, type ErasureScope, OnHoldError } from "../core/erasure-objects.ts";
import { DatabaseError } from "../core/errors.ts";
import { FilesError } from "../core/export-job.ts";
import type { Clock } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { WorkCheck } from "../core/work-allowed.ts";
import { createErasureMatch, SupersededError } from "./erasure-match.ts";

export type ErasureStepDeps = {
  work: ErasureWork;
  objects: Pick<ErasedObjects, "erase">;
  steps: ErasureSteps;
  whyEnded: WorkCheck;
  clock: Clock;
};

/** The result of a step's message: `unsent` stays in the queue, the others are done with. `open`: dead letters after some were erased. */
export type ErasureOutcome = { open?: number } & (
  | { kind: "absent" | "over" | "unsent" | "postponed" | "superseded" }
  | { kind: "continued" | "settling"; place: string }
  | { kind: "ended"; state: ErasureState; reason?: ErasureFailure | undefined; erased: number }
  | { kind: "retried"; reason: string }
);

/** The clocks of the function and the database, and the time of a call. */
const LEASE_MARGIN_MS = 5_000;

/**
 * Works on an erasure, place by place: rules, rows, dead letters, objects, deliveries, rollups. Each statement erases, counts and moves
 * the position in one transaction, so whatever ends a step, the next one goes on behind the last statement.
 */
export function createErasureStep({ work, objects, steps, whyEnded, clock }: ErasureStepDeps) {
  /** @param until when the function is stopped @throws any error that is no failure of a service */
  return async function step(message: ErasureStep, received: Holder, until: number): Promise<ErasureOutcome> {
    const deadline = until - LEASE_MARGIN_MS / 2;
    const holder = received.messageId;
    const report: { open?: number } = {};
    try {
      const seconds = Math.ceil((until - clock().getTime() + LEASE_MARGIN_MS) / 1_000);
      const held = await work.hold(message.erasure, holder, seconds, deadline);
      switch (held.kind) {
        case "absent":
          // The request that starts the job may write it later than its message comes.
          if ((message.attempts ?? 0) >= ERASURE_ABSENT_ATTEMPTS) return { kind: "absent" };
          return await retry(message, "the job is not written yet", deadline);
        case "over":
          return { kind: "over" };
        case "leased":
          return (await steps.send(message, held.seconds, deadline)) ? { kind: "postponed" } : { kind: "unsent" };
        case "held":
          return { ...(await workOn(held.job, holder, { deadline, report })), ...report };
      }
    } catch (error) {
      if (error instanceof SupersededError) return { kind: "superseded", ...report };
      if (!(error instanceof DatabaseError || error instanceof AccessError || error instanceof FilesError)) throw error;
      await work.release(message.erasure, holder, deadline).catch(() => undefined);
      return { ...(await retry(message, error.message, deadline)), ...report };
    }
  };

  async function workOn(
    held: ErasureJob,
    holder: string,
    { deadline, report }: { deadline: number; report: { open?: number } },
  ): Promise<ErasureOutcome> {
    const stopAt = Math.min(clock().getTime() + ERASURE_STEP_MS, deadline - ERASURE_STEP_RESERVE_MS);
    const ended = await whyEnded(held, "admin");
    if (ended !== undefined) return end(held, holder, { state: "failed", ...ended }, deadline);
    // A message that comes before the time leaves whoever asked for it the time to cancel.
    const early = Date.parse(held.createdAt) + ERASURE_START_DELAY_SECONDS * 1_000 - clock().getTime();
    if (held.state === "waiting" && early > 0) return release(held, holder, Math.ceil(early / 1_000), deadline);
    try {
      let job: ErasureJob | undefined = held.state === "waiting" ? await work.begin(held, holder, deadline) : held;
      while (job !== undefined) {
        if (job.place === "end") return await end(job, holder, { state: "done" }, deadline);
        if (job.needsBarrier) job = await work.raiseBarrier(job, holder, deadline);
        if (job === undefined) break;
        if (!job.isSettled) return await release(job, holder, ERASURE_SETTLE_SECONDS, deadline);
        if (clock().getTime() >= stopAt) return await release(job, holder, 0, deadline);
        job = await advance(job, holder, { stopAt, deadline, report });
      }
      return { kind: "superseded" };
    } catch (error) {
      const why = whyFailed(error);
      if (why === undefined) throw error;
      return end(held, holder, { state: "failed", ...why }, deadline);
    }
  }

  /** Erases some of the place. Undefined where another step has the job. @throws OnHoldError; ArchiveError */
  async function advance(
    job: ErasureJob,
    holder: string,
    { stopAt, deadline, report }: { stopAt: number; deadline: number; report: { open?: number } },
  ): Promise<ErasureJob | undefined> {
    switch (job.place) {
      case "rows":
        return erased(await work.eraseRows(job, holder, deadline));
      case "dead_letters": {
        const now = erased(await work.eraseDeadLetters(job, holder, deadline));
        if (now !== undefined && now.counts.deadLetters !== (job.counts.deadLetters ?? 0))
          report.open = await work.countOpenDeadLetters(deadline);
        return now;
      }
      case "objects": {
        const isErased = createErasureMatch(work, job, holder);
        const page = await objects.erase(scopeOf(job), isErased, { cursor: job.cursor, stopAt, deadline });
        return work.noteObjects(job, holder, page, deadline);
      }
      case "deliveries":
        return erased(await work.eraseDeliveries(job, holder, deadline));
      case "rollups":
        return work.eraseRollups(job, holder, deadline);
      case "end":
        return job;
    }
  }

  async function release(job: ErasureJob, holder: string, seconds: number, deadline: number): Promise<ErasureOutcome> {
    await work.release(job.id, holder, deadline);
    const isSent = await steps.send({ erasure: job.id }, seconds, deadline);
    return isSent ? { kind: seconds > 0 ? "settling" : "continued", place: job.place } : { kind: "unsent" };
  }

  async function end(
    job: ErasureJob,
    holder: string,
    to: Parameters<ErasureWork["end"]>[2],
    deadline: number,
  ): Promise<ErasureOutcome> {
    const ended = await work.end(job, holder, to, deadline);
    if (ended === undefined) return { kind: "superseded" };
    return { kind: "ended", state: ended.state, reason: ended.reason, erased: ended.counts.events ?? 0 };
  }

  /** Sends the message of another attempt, later each time. It has no end: an outage is waited out. */
  async function retry(
    { erasure, attempts = 0 }: ErasureStep,
    reason: string,
    deadline: number,
  ): Promise<ErasureOutcome> {
    const seconds = Math.min(ERASURE_RETRY_FIRST_SECONDS * 2 ** Math.min(attempts, 10), ERASURE_RETRY_MAX_SECONDS);
    const isSent = await steps.send({ erasure, attempts: attempts + 1 }, seconds, deadline);
    return isSent ? { kind: "retried", reason } : { kind: "unsent" };
  }
}

type Holder = Pick<ReceivedMessage, "messageId">;

function erased(outcome: Awaited<ReturnType<ErasureWork["eraseRows"]>>): ErasureJob | undefined {
  switch (outcome.kind) {
    case "erased":
      return outcome.job;
    case "held":
      throw new OnHoldError(outcome.holdId);
    case "superseded":
      return undefined;
  }
}

/** Of any time: a subject may have events that no table has, and an id may have been stored once before and be in the archive. */
const scopeOf = ({ id, tenant, by }: ErasureJob): ErasureScope => ({ erasureId: id, tenant, isListed: by === "ids" });

/** Undefined for an error that does not end the job. */
function whyFailed(error: unknown): { reason: ErasureFailure; detail: string } | undefined {
  if (error instanceof OnHoldError)
    return {
      reason: "on_hold",
      detail: `The hold ${error.holdId} has one of the events. What was erased before stays erased; release the hold, and erase the rest.`,
    };
  if (error instanceof ArchiveError)
    return {
      reason: "archive_changed",
      detail: `${error.message}. What was erased before stays erased; repair the file or delete its manifest, and erase the rest.`,
    };
  return undefined;
}
