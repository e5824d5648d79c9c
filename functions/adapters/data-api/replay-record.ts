import type { ReplayFailure, ReplayJob } from "../../core/replay-job.ts";

/** A job as `replay_json` of functions/sql/0008_replays.sql writes it. */
type Row = Omit<ReplayJob, "allowed" | "reason" | "detail" | "finishedAt"> & {
  types: string[] | null;
  sources: string[] | null;
  reason: ReplayFailure | null;
  detail: string | null;
  finishedAt: string | null;
};

export function toReplayJob(text: string): ReplayJob {
  const { types, sources, reason, detail, finishedAt, ...job } = JSON.parse(text) as Row;
  return {
    ...job,
    allowed: { types: types ?? undefined, sources: sources ?? undefined },
    reason: reason ?? undefined,
    detail: detail ?? undefined,
    finishedAt: finishedAt ?? undefined,
  };
}
