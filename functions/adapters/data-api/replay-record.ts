import type { ReplayFailure, ReplayJob } from "../../core/replay-job.ts";
import type { SqlValue } from "../../core/ports.ts";

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

/** Joins the pieces of `cut_text`; undefined where there are none. */
export function joinPieces(rows: readonly SqlValue[][]): string | undefined {
  return rows.length === 0 ? undefined : rows.map(([piece]) => String(piece)).join("");
}
