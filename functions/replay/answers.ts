import { parseLossless } from "../core/lossless-json.ts";
import type { ReplayAnswer, ReplayPlanAnswer } from "../core/replay-answers.ts";
import type { ReplayJob, ReplayPlan } from "../core/replay-job.ts";

/** A job as answers have it. */
export function toAnswer(job: ReplayJob): ReplayAnswer {
  const { request, allowed: _allowed, isCancelling, reason, ...rest } = job;
  return {
    ...rest,
    cancelling: isCancelling && job.state === "running" ? true : undefined,
    reason,
    request: Object.keys(request).length === 0 ? undefined : toRequestAnswer(request),
  };
}

/** The members as the body named them. */
function toRequestAnswer(request: ReplayJob["request"]): ReplayAnswer["request"] {
  const { filter, reasons, sqlStates, messageGroups, opened, ...rest } = request;
  return {
    ...(filter !== undefined && { filter: parseLossless(filter).lossless }),
    reason: reasons,
    sqlState: sqlStates,
    message: messageGroups,
    openedFrom: opened?.from,
    openedTo: opened?.to,
    ...rest,
  };
}

export const toPlanAnswer = ({ planned, until, sample }: ReplayPlan): ReplayPlanAnswer => ({
  state: "planned",
  planned,
  until,
  sent: 0,
  stored: 0,
  deadLettered: 0,
  sample,
});
