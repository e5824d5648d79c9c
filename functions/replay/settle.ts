import type { Clock } from "../core/ports.ts";
import type { ReplayJob, ReplayStep, ReplaySteps, ReplayWork } from "../core/replay-job.ts";
import { REPORT_AGAIN_SECONDS, SETTLE_FIRST_SECONDS, SETTLE_HOURS, SETTLE_MAX_SECONDS } from "../core/replay-limits.ts";
import type { StepOutcome } from "./step.ts";

/**
 * Finds out what became of the events of a job that has ended: looks for them later and later, for a day at most. Where nothing is
 * to be found, it does not look. The open dead letters are reported once more when the minute of the job's end is over: the alarm
 * has the greatest report of a minute, and another one of the same minute may be greater than that of the end.
 */
export function createSettle({
  work,
  steps,
  clock,
}: {
  work: Pick<ReplayWork, "settle" | "countOpen">;
  steps: ReplaySteps;
  clock: Clock;
}) {
  const ageMs = ({ finishedAt, createdAt }: ReplayJob) => clock().getTime() - Date.parse(finishedAt ?? createdAt);
  const isReportDue = (job: ReplayJob) => ageMs(job) >= REPORT_AGAIN_SECONDS * 1_000;
  return {
    /** Sends the message of the first look; where none is needed, that of the report. Returns whether that is sure. */
    async begin(job: ReplayJob, deadline: number): Promise<boolean> {
      if (isWanted(job)) return steps.send({ id: job.id, looks: 0 }, SETTLE_FIRST_SECONDS, deadline);
      return isReportDue(job) || steps.send({ id: job.id }, REPORT_AGAIN_SECONDS, deadline);
    },

    /** @throws DatabaseError */
    async look({ id, looks = 0 }: ReplayStep, deadline: number): Promise<StepOutcome> {
      const found = await work.settle(id, deadline);
      if (found === undefined) return { kind: "absent" };
      const { job, unsettled } = found;
      const isSettled = unsettled === 0 || ageMs(job) > SETTLE_HOURS * HOUR_MS;
      if (isSettled && isReportDue(job)) return { kind: "settled", unsettled, open: await work.countOpen(deadline) };
      const laterAndLater = Math.min(SETTLE_FIRST_SECONDS * 2 ** Math.min(looks + 1, 20), SETTLE_MAX_SECONDS);
      const seconds = isSettled ? REPORT_AGAIN_SECONDS : laterAndLater;
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
