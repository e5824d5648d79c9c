import type { ExportStart } from "../core/export-job.ts";
import { hashOf, startIdOf } from "../core/idempotency.ts";
import type { Caller, ExportRequest } from "./export.ts";

/** The start of an export under an idempotency key. */
export function toStart(
  { tenant, keyId }: Caller,
  { filter, from, to, format, select }: ExportRequest,
  { key, job, startedAt }: { key: string; job: string; startedAt: string },
): ExportStart {
  return {
    tenant,
    id: startIdOf(keyId, key),
    job,
    request: hashOf([filter ?? null, from ?? null, to ?? null, format, select ?? null]),
    startedAt,
  };
}
