import { RequestError } from "../core/errors.ts";
import { DEFAULT_TENANT } from "../core/event.ts";
import type { HttpRequest, HttpResponse } from "../core/http.ts";
import { ANSWER_MAX_BYTES, ANSWER_RESERVE_MS, RETRY_AFTER_SECONDS } from "../core/limits.ts";
import type { createIngest, IngestResult, Verdict } from "./ingest.ts";

/** Puts the rule of the door behind HTTP: 202 all stored, 207 some, 422 none valid, 503 the queue took none. */
export function createIngestRoute(ingest: ReturnType<typeof createIngest>) {
  return async function ingestRoute(request: HttpRequest): Promise<HttpResponse> {
    const result = await ingest({
      tenant: DEFAULT_TENANT,
      headers: request.headers,
      validateOnly: isValidateOnly(request.query["validate"]),
      body: request.body,
      deadline: request.deadline - ANSWER_RESERVE_MS,
    });
    return {
      status: status(result),
      headers: { "content-type": "application/json" },
      body: toBody(result),
      metrics: { EventsAccepted: result.accepted, EventsRejected: result.rejected },
    };
  };
}

function toBody({ accepted, rejected, results }: IngestResult): string {
  const body = JSON.stringify({ accepted, rejected, results });
  if (Buffer.byteLength(body) <= ANSWER_MAX_BYTES) return body;
  return JSON.stringify({ accepted, rejected, results: results.map(withFirstError) });
}

function withFirstError(verdict: Verdict): Verdict {
  const { errors = [] } = verdict;
  if (errors.length <= 1) return verdict;
  const message = `and ${errors.length - 1} more errors, left out because the answer would be too large`;
  return { ...verdict, errors: [...errors.slice(0, 1), { path: "", code: "more_errors", message }] };
}

/** @throws RequestError `bad_parameter`, because a typing error must not store what was only to be checked */
function isValidateOnly(validate: string | undefined): boolean {
  if (validate === undefined || validate === "only") return validate === "only";
  throw new RequestError("bad_parameter", `validate is ${JSON.stringify(validate)}. The one value it takes is only.`);
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
        { retryAfterSeconds: RETRY_AFTER_SECONDS, members: { results: result.results } },
      );
  }
}
