import { RequestError } from "../../../core/errors.ts";
import { ANSWER_RESERVE_MS } from "../../../core/function-limits.ts";
import { ANSWER_MAX_BYTES } from "../../../core/limits.ts";
import { fitsUtf8 } from "../../../core/fits-utf8.ts";
import type { MetricCounts } from "../../../core/metric-names.ts";
import type { ingestRoutes } from "../../../routes/ingest.ts";
import type { Handler } from "../../../routes/route.ts";
import type { createIngest, IngestResult, Verdict } from "../../ingest.ts";
import { decode } from "./decode.ts";

/** Speaks Sluice's own protocol: events in five formats, answered with a verdict for each. */
export function createSendEvents(ingest: ReturnType<typeof createIngest>): Handler<typeof ingestRoutes.sendEvents> {
  return async (request) => {
    const result = await ingest({
      tenant: request.principal.tenant,
      decoded: decode(request),
      validateOnly: request.query.validate === "only",
      deadline: request.deadline - ANSWER_RESERVE_MS,
    });
    const metrics = metricsOf(result);
    const unconfirmed = result.results.filter(({ status }) => status === "retry").length;
    const isWhole = request.query.status === "whole";
    if (result.kind === "unavailable" || (isWhole && unconfirmed > 0)) throw notEnqueued(result, unconfirmed, metrics);
    return {
      status: statusOf(result.kind, isWhole),
      body: `{"accepted":${result.accepted},"rejected":${result.rejected},"results":${serializeVerdicts(result)}}`,
      metrics,
    };
  };
}

function metricsOf({ accepted, rejected, results }: IngestResult): MetricCounts {
  const unchecked = results.filter((each) => each.status === "accepted" && each.unchecked).length;
  const conflicting = results.filter(({ errors = [] }) => errors.some(({ code }) => code === "id_conflict")).length;
  return {
    EventsAccepted: accepted,
    EventsRejected: rejected,
    EventsUnchecked: unchecked,
    ...(conflicting > 0 && { EventsConflicting: conflicting }),
  };
}

/** Writes the verdicts as JSON, with one error each where the answer would otherwise be too large. */
function serializeVerdicts({ results }: IngestResult): string {
  const text = JSON.stringify(results);
  return fitsUtf8(text, ANSWER_MAX_BYTES) ? text : JSON.stringify(results.map(withFirstError));
}

function withFirstError(verdict: Verdict): Verdict {
  const { errors = [] } = verdict;
  if (errors.length <= 1) return verdict;
  const message = `and ${errors.length - 1} more errors, left out because the answer would be too large`;
  return { ...verdict, errors: [...errors.slice(0, 1), { path: "", code: "more_errors", message }] };
}

/**
 * A client that reads only the status must not repeat a request for events that stay invalid. 202 says so to each: Fluent Bit
 * takes a status above 205 for a failure and sends the request again (plugins/out_http/http.c).
 */
function statusOf(kind: Exclude<IngestResult["kind"], "unavailable">, isWhole: boolean): 202 | 207 | 422 {
  switch (kind) {
    case "enqueued":
      return 202;
    case "partly":
      return isWhole ? 202 : 207;
    case "invalid":
      return 422;
  }
}

function notEnqueued(result: IngestResult, unconfirmed: number, metrics: MetricCounts): RequestError {
  const members = { results: JSON.parse(serializeVerdicts(result)) as unknown };
  if (result.kind === "unavailable") {
    return new RequestError(
      "queue_unavailable",
      "The queue did not confirm any event. Send the events marked retry again after the time in Retry-After.",
      { members, metrics },
    );
  }
  return new RequestError(
    "not_all_enqueued",
    `The queue did not confirm ${unconfirmed} of ${result.results.length} events. Send the request again after the time in Retry-After; an event that has an id is stored once.`,
    { members, metrics },
  );
}
