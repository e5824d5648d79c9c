import { createHash } from "node:crypto";
import { RequestError } from "./errors.ts";
import type { HttpRequest } from "./http.ts";
import type { Principal } from "./principal.ts";

/** Idempotency keys: a request that is sent again, because its answer was lost, finds the job that it has started. */

/** Hours for which an idempotency key stands for the job that it started; clients give up long before. */
export const IDEMPOTENCY_HOURS = 24;

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

/** Stands for an idempotency key of a caller: another key of the API may use the same text. */
export const startIdOf = (keyId: string, idempotencyKey: string): string => `start_${hashOf([keyId, idempotencyKey])}`;

/** Stands for values: the same for equal ones. */
export const hashOf = (values: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(values)).digest("hex");

/** A request that starts a job once: its key, and its method, path and body as one text. */
export type Once = { key: string; request: string };

/** Reads how often a request may start its job; undefined where it may each time. @throws RequestError `bad_header` */
export function readOnce(
  request: Pick<HttpRequest, "headers" | "repeatedHeaders" | "path" | "body">,
): Once | undefined {
  const key = readIdempotencyKey(request);
  return key === undefined
    ? undefined
    : { key, request: hashOf([request.path, Buffer.from(request.body).toString("base64")]) };
}

/** The start of a job under an idempotency key. */
export type JobStart = {
  tenant: string;
  /** Stands for the key. */
  id: string;
  /** The id of the job. */
  job: string;
  /** Stands for the request. */
  request: string;
};

/** The starts of jobs in the database. Every call may throw a DatabaseError. */
export type JobStarts = {
  /**
   * Keeps a start under its id for IDEMPOTENCY_HOURS, unless there is one. Returns the start that is kept: this one, or the one
   * before it. Of several at once, one is kept.
   */
  keep(start: JobStart, deadline: number): Promise<Pick<JobStart, "job" | "request">>;
  /** Takes back the start of a job that did not begin, so that the same request begins another. */
  forget(start: Pick<JobStart, "tenant" | "id" | "job">, deadline: number): Promise<void>;
};

type Begin<Job> = {
  newId: () => string;
  /** The job, where it has begun. */
  read: (id: string) => Promise<Job | undefined>;
  begin: (id: string) => Promise<Job>;
};

/**
 * Begins a job, or returns the one that the same idempotency key has begun. Where the start was refused, so that nothing began, the
 * key is free again; where it failed otherwise, the same request goes on under the id of before.
 * @throws RequestError `idempotency_key_reused`; DatabaseError; whatever `begin` throws
 */
export async function beginOnce<Job>(
  starts: JobStarts,
  { tenant, keyId }: Pick<Principal, "tenant" | "keyId">,
  once: Once | undefined,
  { newId, read, begin }: Begin<Job>,
  deadline: number,
): Promise<Job> {
  if (once === undefined) return begin(newId());
  const { key, request } = once;
  const start = { tenant, id: startIdOf(keyId, key), job: newId(), request };
  const kept = await starts.keep(start, deadline);
  if (kept.request !== request) {
    throw new RequestError(
      "idempotency_key_reused",
      `The Idempotency-Key has started the job ${kept.job} by another request, less than ${IDEMPOTENCY_HOURS} hours ago. Look at that job, or send a new key.`,
    );
  }
  const begun = await read(kept.job);
  if (begun !== undefined) return begun;
  try {
    return await begin(kept.job);
  } catch (error) {
    const isRefused = error instanceof RequestError && (await read(kept.job)) === undefined;
    if (isRefused) await starts.forget({ ...start, job: kept.job }, deadline);
    throw error;
  }
}

/**
 * A request that takes no more than its plan had counted. Without a plan it stays as it is.
 * @param matching the number that matches now
 * @throws RequestError `plan_changed`
 */
export function withinPlan<Request extends { limit?: number }>(
  request: Request,
  matching: number,
  planned: number | undefined,
): Request {
  if (planned === undefined) return request;
  if (matching <= planned) return { ...request, limit: Math.min(planned, request.limit ?? planned) };
  throw new RequestError(
    "plan_changed",
    `${matching} match now, and the plan had ${planned}. Nothing began. Plan again.`,
  );
}
