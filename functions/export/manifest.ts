import { exportFolder, type ExportJob } from "../core/export-job.ts";

/** The names of the files of an export in the bucket. */
export const keyOf = (job: Pick<ExportJob, "tenant" | "id">, name: string): string => `${exportFolder(job)}${name}`;

/**
 * The name of a part has the version under which its step holds the job. No other step writes under it: one that was believed
 * dead cannot overwrite a file that the job counts.
 */
export const partName = ({ parts, version, format }: Pick<ExportJob, "parts" | "version" | "format">): string =>
  `part-${String(parts.length + 1).padStart(5, "0")}-${version}.${format}.gz`;

export const manifestName = ({ version }: Pick<ExportJob, "version">): string => `manifest-${version}.json`;

/**
 * The manifest: everything that proves a download to be whole. `filter` is the text that was sent, because its numbers may
 * have more digits than a double keeps.
 */
export function manifestText(job: ExportJob & { finishedAt: string }): string {
  const { tenant, id, format, filter, from, to, select, horizon, createdAt, finishedAt, rows, bytes, parts } = job;
  const members = { version: 1, tenant, id, format, from, to, select, horizon, createdAt, finishedAt, rows, bytes };
  return `${JSON.stringify({ ...members, filter, parts }, undefined, 2)}\n`;
}
