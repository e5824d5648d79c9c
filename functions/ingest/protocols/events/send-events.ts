import { RequestError } from "../../../core/errors.ts";
import { ANSWER_RESERVE_MS } from "../../../core/function-limits.ts";
import { ANSWER_MAX_BYTES } from "../../../core/limits.ts";
import { fitsUtf8 } from "../../../core/utf8.ts";
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
    return {
      status: statusOf(result),
      body: `{"accepted":${result.accepted},"rejected":${result.rejected},"results":${serializeVerdicts(result)}}`,
      metrics: {
        EventsAccepted: result.accepted,
        EventsRejected: result.rejected,
        EventsUnchecked: result.results.filter(({ status, unchecked }) => status === "accepted" && unchecked).length,
      },
    };
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

function statusOf(result: IngestResult): 202 | 207 | 422 {
  switch (result.kind) {
    case "enqueued":
      return 202;
    case "partly":
      return 207;
    case "invalid":
      return 422;
    case "unavailable":
      throw new RequestError(
        "queue_unavailable",
        "The queue did not confirm any event. Send the events marked retry again after the time in Retry-After.",
        { members: { results: JSON.parse(serializeVerdicts(result)) } },
      );
  }
}
