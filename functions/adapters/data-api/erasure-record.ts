import type { ErasureJob } from "../../core/erasure-job.ts";

/** A job as `erasure_json` of functions/sql/0013_erasure.sql writes it. */
type Row = {
  [Name in keyof ErasureJob]: undefined extends ErasureJob[Name]
    ? Exclude<ErasureJob[Name], undefined> | null
    : ErasureJob[Name];
};

export function toErasureJob(text: string): ErasureJob {
  const row = JSON.parse(text) as Row;
  return {
    ...row,
    request: row.request ?? undefined,
    suppress: row.suppress ?? undefined,
    cursor: row.cursor ?? undefined,
    horizonBefore: row.horizonBefore ?? undefined,
    horizonAfter: row.horizonAfter ?? undefined,
    eventsSha256: row.eventsSha256 ?? undefined,
    reason: row.reason ?? undefined,
    detail: row.detail ?? undefined,
    startedAt: row.startedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
  };
}
