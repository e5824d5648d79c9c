import { createHash } from "node:crypto";
import { RequestError } from "../core/errors.ts";
import type { ExportStart } from "../core/export-job.ts";
import type { HttpRequest } from "../core/http.ts";
import type { Caller, ExportRequest } from "./export.ts";

/** Visible ASCII. A client that follows the draft sends it in quotes, which are no part of it. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Reads the header `Idempotency-Key`; undefined where a request has none.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 * @throws RequestError `bad_header`
 */
export function readIdempotencyKey({
  headers,
  repeatedHeaders,
}: Pick<HttpRequest, "headers" | "repeatedHeaders">): string | undefined {
  const sent = headers["idempotency-key"];
  if (sent === undefined) return undefined;
  const key = /^"(.*)"$/.exec(sent)?.[1] ?? sent;
  if (KEY.test(key) && !repeatedHeaders.includes("idempotency-key")) return key;
  throw new RequestError(
    "bad_header",
    "Idempotency-Key is not valid: send it once, with 1 to 255 visible characters of ASCII, for example a UUID.",
  );
}

/** The start of an export under an idempotency key, which is the caller's own: another key may use the same text. */
export function toStart(
  { tenant, keyId }: Caller,
  { filter, from, to, format, select }: ExportRequest,
  { key, job, startedAt }: { key: string; job: string; startedAt: string },
): ExportStart {
  return {
    tenant,
    id: `start_${hash([keyId, key])}`,
    job,
    request: hash([filter ?? null, from ?? null, to ?? null, format, select ?? null]),
    startedAt,
  };
}

const hash = (values: readonly unknown[]): string => createHash("sha256").update(JSON.stringify(values)).digest("hex");
