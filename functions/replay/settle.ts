import type { Clock } from "../core/ports.ts";
import type { ReplayJob, ReplayStep, ReplaySteps, ReplayWork } from "../core/replay-job.ts";
import { SETTLE_FIRST_SECONDS, SETTLE_HOURS, SETTLE_MAX_SECONDS } from "../core/replay-limits.ts";
import type { StepOutcome } from "./step.ts";

/**
 * Finds out what became of the events of a job that has ended: looks for them later and later, for a day at most. Where nothing is
 * to be found, it does not ask the database.
 */
export function createSettle({
  work,
  steps,
  clock,
}: {
  work: Pick<ReplayWork, "settle">;
  steps: ReplaySteps;
  clock: Clock;
}) {
  return {
    /** Sends the message of the first look, where one is needed. Returns whether that is sure. */
    async begin(job: ReplayJob, deadline: number): Promise<boolean> {
      if (!isWanted(job)) return true;
      return steps.send({ id: job.id, looks: 0 }, SETTLE_FIRST_SECONDS, deadline);
    },

    /** @throws DatabaseError */
    async look({ id, looks = 0 }: ReplayStep, deadline: number): Promise<StepOutcome> {
      const found = await work.settle(id, deadline);
      if (found === undefined) return { kind: "absent" };
      const { job, unsettled } = found;
      const ageMs = clock().getTime() - Date.parse(job.finishedAt ?? job.createdAt);
      if (unsettled === 0 || ageMs > SETTLE_HOURS * HOUR_MS) return { kind: "settled", unsettled };
      const seconds = Math.min(SETTLE_FIRST_SECONDS * 2 ** Math.min(looks + 1, 20), SETTLE_MAX_SECONDS);
      return (await steps.send({ id, looks: looks + 1 }, seconds, deadline))
        ? { kind: "looked", unsettled }
        : { kind: "unsent" };
    },
  };
}

/** A discard sends nothing, and what went to another queue is not stored here. */
const isWanted = ({ action, request, sent, stored, deadLettered }: ReplayJob): boolean =>
  action === "replay" && request.to === undefined && sent > stored + deadLettered;

const HOUR_MS = 3_600_000;
