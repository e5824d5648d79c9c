/** A request that failed: a problem document of the API (RFC 9457), or no answer at all. */
export class Problem extends Error {
  override readonly name = "Problem";
  /** 0 where there was no answer. */
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly requestId: string | undefined;
  /** The other members of the document. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, members: Readonly<Record<string, unknown>>, retryAfter: string | null = null) {
    super(text(members["detail"]) ?? text(members["message"]) ?? `The API answered with the status ${status}.`);
    this.status = status;
    this.code = text(members["code"]) ?? `status_${status}`;
    this.title = text(members["title"]) ?? "The request failed";
    this.requestId = text(members["requestId"]);
    this.members = members;
    this.retryAfterSeconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined;
  }
}

/** Makes a problem of anything that was thrown. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, { code: "page_fault", title: "This page has a fault", detail: String(error) });
}

/** No answer came: the API cannot be reached, or the connection broke. */
export function unreachable(): Problem {
  return new Problem(0, {
    code: "unreachable",
    title: "The API does not answer",
    detail: "The request got no answer. Check that the stack runs and that you are connected, then try again.",
  });
}

/** The request was not sent: its address is longer than the API takes. */
export function tooLong(characters: number, most: number): Problem {
  return new Problem(0, {
    code: "address_too_long",
    title: "The filter is too long",
    detail: `The address of the request would have ${characters} characters, and the API takes ${most}. Take a condition away.`,
  });
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
