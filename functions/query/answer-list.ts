import { createEventLines } from "../core/event-lines.ts";
import { RequestError } from "../core/errors.ts";
import type { HttpResponse } from "../core/http.ts";
import { LINK_MAX_CHARACTERS, LIST_DEFAULT_EVENTS } from "../core/list-limits.ts";
import { chooseMediaType } from "../core/media-ranges.ts";
import { toSelection } from "../core/selection.ts";
import type { createListLines } from "./list-lines.ts";
import type { createList, ListRequest } from "./list.ts";
import type { Asked } from "./list-request.ts";
import { writeFacts, writePage } from "./write-page.ts";

export type AnswerListRequest = Asked &
  Pick<ListRequest, "principal" | "deadline"> & {
    headers: Record<string, string | undefined>;
    /** The URL of another page by its cursor, for a request that is nothing but a URL. */
    linkTo?: (cursor: string) => string;
  };

export type ListAnswer = HttpResponse<200> & {
  headers: Record<string, string>;
  /** False where the time has left something out. */
  isComplete: boolean;
};

/** The media types of a list; the first one where the request names none. */
const TYPES = ["application/json", "application/x-ndjson", "text/csv"] as const;

/** The type of an answer. @throws RequestError `not_acceptable` */
export function typeOf({ headers }: Pick<AnswerListRequest, "headers">): (typeof TYPES)[number] {
  const type = chooseMediaType(headers["accept"], TYPES);
  if (type !== undefined) return type;
  throw new RequestError("not_acceptable", `The answer has one of these types: ${TYPES.join(", ")}.`);
}

/** Answers a list as JSON, NDJSON or CSV. */
export function createAnswerList({
  list,
  listLines,
}: {
  list: ReturnType<typeof createList>;
  listLines: ReturnType<typeof createListLines>;
}) {
  /** @throws RequestError `not_acceptable` and those of lists; DatabaseError */
  return async function answerList(request: AnswerListRequest): Promise<ListAnswer> {
    const type = typeOf(request);
    const { select, limit, headers: _headers, linkTo, ...asked } = request;
    if (type === "application/json") {
      const page = await list({ ...asked, limit: limit ?? LIST_DEFAULT_EVENTS });
      return toAnswer(page, writePage(page, select && toSelection(select)), {});
    }
    const format = type === "text/csv" ? "csv" : "ndjson";
    const answer = await listLines({ ...asked, limit, lines: createEventLines({ format, select }) });
    if (format === "csv") return toAnswer(answer, answer.text, csvHeaders(answer, linkTo));
    return toAnswer(answer, `${answer.text}${writeFacts(answer)}\n`, { "content-type": type });
  };
}

function toAnswer({ isComplete }: { isComplete: boolean }, body: string, headers: Record<string, string>): ListAnswer {
  return { status: 200, body, headers: { ...headers, vary: VARY }, isComplete };
}

/** A cache must not give an answer to another caller, or in another format. */
const VARY = "accept, authorization, x-api-key, sluice-tenant";

/** The facts of an answer whose body has no room for them. @see RFC 8288 and RFC 7111 */
function csvHeaders(
  { isComplete, ...cursors }: { isComplete: boolean; next: string | null; prev: string | null },
  linkTo: AnswerListRequest["linkTo"],
): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": "text/csv; charset=utf-8; header=present",
    "sluice-complete": String(isComplete),
  };
  const links: string[] = [];
  for (const relation of ["next", "prev"] as const) {
    const cursor = cursors[relation];
    if (cursor === null) continue;
    headers[`sluice-${relation}`] = cursor;
    const link = linkTo && `<${linkTo(cursor)}>; rel="${relation}"`;
    if (link !== undefined && link.length <= LINK_MAX_CHARACTERS) links.push(link);
  }
  if (links.length > 0) headers["link"] = links.join(", ");
  return headers;
}
