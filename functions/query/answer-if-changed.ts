import type { HttpResponse } from "../core/http.ts";
import { isKnown } from "../core/if-none-match.ts";
import { SETTLED_MAX_AGE_SECONDS } from "../core/window-limits.ts";
import { type AnswerListRequest, type createAnswerList, typeOf } from "./answer-list.ts";
import type { createEtags } from "./etags.ts";

/** Answers a list about a settled range with a tag, and with 304 where the client has it already. No event is read then. */
export function createAnswerIfChanged({
  answerList,
  etagOf,
}: {
  answerList: ReturnType<typeof createAnswerList>;
  etagOf: ReturnType<typeof createEtags>;
}) {
  /** @throws as `answerList` */
  return async function answerIfChanged(request: AnswerListRequest): Promise<HttpResponse<200 | 304>> {
    const etag = await etagOf({ ...request, form: formOf(request) });
    if (etag === undefined) return answerList(request);
    const kept = { etag, "cache-control": `private, max-age=${SETTLED_MAX_AGE_SECONDS}` };
    if (isKnown(etag, request.headers["if-none-match"])) return { status: 304, headers: kept, body: "" };
    const answer = await answerList(request);
    // What the time of a page has left out is no fact about the range.
    return answer.isComplete ? { ...answer, headers: { ...answer.headers, ...kept } } : answer;
  };
}

/** Everything that changes an answer, beside the range and the caller. */
function formOf(request: AnswerListRequest): unknown[] {
  const { filter, produced, order, limit, cursor, select, count } = request;
  return [typeOf(request), filter, produced, order, limit, cursor, select, count].map((each) => each ?? null);
}
