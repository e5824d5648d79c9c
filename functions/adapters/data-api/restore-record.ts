import type { RestoreFailure, RestoreJob } from "../../core/restore-job.ts";
import type { RetentionDays } from "../../core/retention.ts";

/** A job as `restore_json` of functions/sql/0012_archive.sql writes it. */
type Row = Omit<RestoreJob, "retention" | "reason" | "detail" | "finishedAt" | "droppedAt"> & {
  retention: RetentionDays | null;
  reason: RestoreFailure | null;
  detail: string | null;
  finishedAt: string | null;
  droppedAt: string | null;
};

export function toRestoreJob(text: string): RestoreJob {
  const { retention, reason, detail, finishedAt, droppedAt, ...job } = JSON.parse(text) as Row;
  return {
    ...job,
    retention: retention ?? undefined,
    reason: reason ?? undefined,
    detail: detail ?? undefined,
    finishedAt: finishedAt ?? undefined,
    droppedAt: droppedAt ?? undefined,
  };
}
