import { RequestError } from "../../../core/errors.ts";
import { ANSWER_RESERVE_MS } from "../../../core/function-limits.ts";
import { ANSWER_MAX_BYTES, RETRY_AFTER_SECONDS } from "../../../core/limits.ts";
import { fitsUtf8 } from "../../../core/fits-utf8.ts";
import { rateLimited, tooManyForDay } from "../../../core/rate-limited.ts";
import { rateLimitFields, retryAfterSeconds } from "../../../core/rate-limit-fields.ts";
import type { MetricCounts } from "../../../core/metric-names.ts";
import type { ingestRoutes } from "../../../routes/ingest.ts";
import type { Handler } from "../../../routes/route.ts";
import type { createIngest, IngestResult, Verdict } from "../../ingest.ts";
import { decode } from "./decode.ts";

/** Speaks Sluice's own protocol: events in five formats, answered with a verdict for each. */
export function createSendEvents(ingest: ReturnType<typeof createIngest>): Handler<typeof ingestRoutes.sendEvents> {
  return async (request) => {
    const isWhole = request.query.status === "whole";
    const result = await ingest({
      principal: request.principal,
      decode: () => decode(request),
      validateOnly: request.query.validate === "only",
      isWhole,
      deadline: request.deadline - ANSWER_RESERVE_MS,
      requestId: request.requestId,
      userAgent: request.headers["user-agent"],
      trace: request.trace,
    });
    const metrics = request.query.validate === "only" ? {} : metricsOf(result);
    const toSendAgain = rejectedOf(result).filter((each) => each.status === "retry" || isSchemaFailure(each)).length;
    if (result.kind === "limited") throw limitReached(result, isWhole, metrics);
    if (result.kind === "unavailable" || (isWhole && toSendAgain > 0)) throw notEnqueued(result, toSendAgain, metrics);
    return {
      status: statusOf(result.kind, isWhole),
      headers: limitHeaders(result.limits),
      body: `{"accepted":${result.accepted},"rejected":${result.rejected},"results":${serializeVerdicts(result)}}`,
      metrics,
    };
  };
}

/** The counts of a request; events that are only validated do not count. */
function metricsOf(result: IngestResult): MetricCounts {
  const { accepted, rejected, results, limits } = result;
  const invalid = rejectedOf(result);
  const unchecked = results.filter((each) => each.status === "accepted" && each.unchecked).length;
  const conflicting = invalid.filter(({ errors = [] }) => errors.some(({ code }) => code === "id_conflict")).length;
  const schemaFailed = invalid.filter(isSchemaFailure).length;
  return {
    EventsAccepted: accepted,
    EventsRejected: rejected,
    EventsUnchecked: unchecked,
    ...(conflicting > 0 && { EventsConflicting: conflicting }),
    ...(schemaFailed > 0 && { EventsSchemaFailed: schemaFailed }),
    ...(limits !== undefined && limits.refused > 0 && { EventsLimited: limits.refused }),
    ...(limits?.isLocal && { LimitsLocal: 1 }),
  };
}

/** The events that are rejected; most requests have none. */
function rejectedOf({ rejected, results }: IngestResult): Verdict[] {
  return rejected === 0 ? [] : results.filter(({ status }) => status === "invalid" || status === "retry");
}

/** Tells whether the schema of the event's type threw: the event is not at fault, and may be valid later. */
function isSchemaFailure({ errors = [] }: Verdict): boolean {
  return errors.some(({ code }) => code === "schema_failed");
}

/** Writes the verdicts as JSON, with one error each where the answer would otherwise be too large. */
function serializeVerdicts({ results }: IngestResult): string {
  const text = JSON.stringify(results);
  return fitsUtf8(text, ANSWER_MAX_BYTES) ? text : JSON.stringify(results.map(withFirstError));
}

/** Leaves the first error of an event, whose message may list a whole catalog, and says how many are left out. */
function withFirstError(verdict: Verdict): Verdict {
  const [first, ...others] = verdict.errors ?? [];
  if (first === undefined) return verdict;
  const { message } = first;
  const short = message.length > SHORT_MESSAGE ? `${message.slice(0, SHORT_MESSAGE).toWellFormed()} …` : message;
  const left = `and ${others.length} more errors, left out because the answer would be too large`;
  const more = others.length === 0 ? [] : [{ path: "", code: "more_errors" as const, message: left }];
  return { ...verdict, errors: [{ ...first, message: short }, ...more] };
}

/** Characters of a message in an answer that would be too large. */
const SHORT_MESSAGE = 500;

/**
 * A client that reads only the status must not repeat a request for events that stay invalid. 202 says so to each: Fluent Bit
 * takes a status above 205 for a failure and sends the request again (plugins/out_http/http.c).
 */
function statusOf(kind: Exclude<IngestResult["kind"], "limited" | "unavailable">, isWhole: boolean): 202 | 207 | 422 {
  switch (kind) {
    case "enqueued":
      return 202;
    case "partly":
      return isWhole ? 202 : 207;
    case "invalid":
      return 422;
  }
}

/** The caller's limits of events, and when those pass that were over them. */
function limitHeaders(limits: IngestResult["limits"], leastSeconds = 1): Record<string, string> {
  if (limits === undefined) return {};
  const { policies, refused } = limits;
  const wait = Math.max(retryAfterSeconds(policies), leastSeconds);
  return { ...rateLimitFields(policies), ...(refused > 0 && { "retry-after": String(wait) }) };
}

/** A limit let no event pass. With `?status=whole` it lets all pass or none, so this answers it, too. */
function limitReached(result: IngestResult, isWhole: boolean, metrics: MetricCounts): RequestError {
  const members = { results: JSON.parse(serializeVerdicts(result)) as unknown };
  const { policies = [], refused = 0 } = result.limits ?? {};
  return (
    (isWhole ? tooManyForDay(refused, policies, { members, metrics }) : undefined) ??
    rateLimited("the events marked retry", policies, { members, metrics, headers: rateLimitFields(policies) })
  );
}

function notEnqueued(result: IngestResult, toSendAgain: number, metrics: MetricCounts): RequestError {
  const members = { results: JSON.parse(serializeVerdicts(result)) as unknown };
  const headers = limitHeaders(result.limits, RETRY_AFTER_SECONDS);
  if (result.kind === "unavailable") {
    return new RequestError(
      "queue_unavailable",
      "The queue did not confirm any event. Send the events marked retry again after the time in Retry-After.",
      { members, metrics, headers },
    );
  }
  return new RequestError(
    "not_all_enqueued",
    `${toSendAgain} of ${result.results.length} events are to be sent again. Send the request again after the time in Retry-After; an event that has an id is stored once.`,
    { members, metrics },
  );
}
