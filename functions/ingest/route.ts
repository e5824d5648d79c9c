import { RequestError } from "../core/errors.ts";
import type { HttpRequest, HttpResponse } from "../core/http.ts";
import { ANSWER_MAX_BYTES, ANSWER_RESERVE_MS, RETRY_AFTER_SECONDS } from "../core/limits.ts";
import { metricNames } from "../core/metric-names.ts";
import { DEFAULT_TENANT } from "../core/tenant.ts";
import { fitsUtf8 } from "../core/utf8.ts";
import type { createIngest, IngestResult, Verdict } from "./ingest.ts";

/** Puts the rule of the door behind HTTP: 202 all stored, 207 some, 422 none valid, 503 the queue took none. */
export function createIngestRoute(ingest: ReturnType<typeof createIngest>) {
  return async function ingestRoute(request: HttpRequest): Promise<HttpResponse> {
    const result = await ingest({
      tenant: DEFAULT_TENANT,
      headers: request.headers,
      inflated: request.inflated,
      validateOnly: isValidateOnly(request.query),
      body: request.body,
      deadline: request.deadline - ANSWER_RESERVE_MS,
    });
    return {
      status: status(result),
      headers: { "content-type": "application/json" },
      body: `{"accepted":${result.accepted},"rejected":${result.rejected},"results":${tellResults(result)}}`,
      metrics: { [metricNames.eventsAccepted]: result.accepted, [metricNames.eventsRejected]: result.rejected },
    };
  };
}

/** The verdicts as JSON text, with one error each where the answer would otherwise be too large to be given. */
function tellResults({ results }: IngestResult): string {
  const text = JSON.stringify(results);
  return fitsUtf8(text, ANSWER_MAX_BYTES) ? text : JSON.stringify(results.map(withFirstError));
}

function withFirstError(verdict: Verdict): Verdict {
  const { errors = [] } = verdict;
  if (errors.length <= 1) return verdict;
  const message = `and ${errors.length - 1} more errors, left out because the answer would be too large`;
  return { ...verdict, errors: [...errors.slice(0, 1), { path: "", code: "more_errors", message }] };
}

/** @throws RequestError `bad_parameter`, because a typing error must not store what was only to be checked */
function isValidateOnly(query: Record<string, string | undefined>): boolean {
  const { validate, ...unknown } = query;
  const [name] = Object.keys(unknown);
  if (name !== undefined)
    throw new RequestError("bad_parameter", `${name.slice(0, 64)} is no parameter. There is only validate.`);
  if (validate === undefined || validate === "only") return validate === "only";
  throw new RequestError("bad_parameter", "validate takes only one value: only.");
}

function status(result: IngestResult): number {
  switch (result.kind) {
    case "stored":
      return 202;
    case "partly":
      return 207;
    case "invalid":
      return 422;
    case "unavailable":
      throw new RequestError(
        "queue_unavailable",
        "The queue did not confirm any event. Send the events marked retry again after the time in Retry-After.",
        { retryAfterSeconds: RETRY_AFTER_SECONDS, members: { results: JSON.parse(tellResults(result)) } },
      );
  }
}
