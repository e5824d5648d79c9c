import type { ExportAnswer } from "../core/export-answers.ts";
import { type ExportFiles, type ExportJob } from "../core/export-job.ts";
import { EXPORT_ANSWER_PARTS, EXPORT_KEPT_DAYS, EXPORT_LINK_SECONDS } from "../core/export-limits.ts";
import { parseLossless } from "../core/lossless-json.ts";
import { keyOf } from "./manifest.ts";

const DAY_MS = 86_400_000;

/** The progress of a job, as answers have it. */
export function toAnswer(job: ExportJob): ExportAnswer {
  const { id, state, format, filter, from, to, select, createdAt, progressAt, finishedAt } = job;
  const { rows, scanned, bytes, parts, horizon, reason, detail, keyId } = job;
  return {
    id,
    state,
    format,
    ...(filter !== undefined && { filter: parseLossless(filter).lossless }),
    from,
    to,
    select,
    keyId,
    createdAt,
    progressAt,
    finishedAt,
    horizon,
    rows,
    scanned,
    bytes,
    parts: parts.length,
    reason,
    detail,
  };
}

/**
 * The progress of a job and, once it is done, its receipt: the links of the manifest and of a page of its parts.
 * @param after the number of parts before the page
 */
export async function toReceipt(
  job: ExportJob,
  { files, after, now }: { files: Pick<ExportFiles, "link">; after: number; now: Date },
): Promise<ExportAnswer> {
  const answer = toAnswer(job);
  const { manifest, finishedAt = "", parts } = job;
  if (job.erasedAt !== undefined) return { ...answer, filesErasedAt: job.erasedAt };
  if (job.state !== "done" || manifest === undefined) return answer;
  const expiresAt = new Date(Date.parse(finishedAt) + EXPORT_KEPT_DAYS * DAY_MS);
  if (expiresAt <= now) return { ...answer, filesExpiredAt: expiresAt.toISOString() };
  const link = (name: string) => files.link(keyOf(job, name), EXPORT_LINK_SECONDS);
  const page = parts.slice(after, after + EXPORT_ANSWER_PARTS);
  const end = after + page.length;
  return {
    ...answer,
    filesExpireAt: expiresAt.toISOString(),
    linksExpireAt: new Date(now.getTime() + EXPORT_LINK_SECONDS * 1_000).toISOString(),
    manifest: { name: manifest, url: await link(manifest) },
    files: await Promise.all(page.map(async (part) => ({ ...part, url: await link(part.name) }))),
    next: end < parts.length ? end : undefined,
  };
}
