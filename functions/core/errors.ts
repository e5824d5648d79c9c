/**
 * Every error of a whole request: code (stable), status and title. docs/errors.md lists exactly these. The error of a
 * single event is in its verdict instead.
 */
export const errorTable = {
  malformed_body: { status: 400, title: "The body is not what its content type says" },
  no_such_type: { status: 404, title: "There is no such type in the catalog" },
  no_such_version: { status: 404, title: "The type has no such version" },
  not_found: { status: 404, title: "No such event is stored" },
  ambiguous_id: { status: 409, title: "Several sources used this id" },
  body_too_large: { status: 413, title: "The body is too large" },
  too_many_values: { status: 413, title: "The request has too many values" },
  too_many_events: { status: 413, title: "The request has too many events" },
  unsupported_media_type: { status: 415, title: "The content type is not supported" },
  bad_header: { status: 400, title: "A header is not valid" },
  bad_parameter: { status: 400, title: "A parameter is not valid" },
  queue_unavailable: { status: 503, title: "The queue confirmed no event, send the request again" },
  database_unavailable: { status: 503, title: "The database does not answer, ask again" },
  internal_error: { status: 500, title: "Something went wrong on our side" },
  // API Gateway itself answers these, in the same shape.
  no_such_route: { status: 403, title: "There is no such route" },
  throttled: { status: 429, title: "Too many requests, send this one again later" },
  gateway_timeout: { status: 504, title: "The function did not answer in time, send the request again" },
  gateway_failure: { status: 502, title: "The function failed, send the request again" },
  bad_request: { status: 400, title: "API Gateway refused the request" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof errorTable;

/** Statuses of answers that carry `Retry-After`: sending the same request again later may succeed. */
export const STATUSES_WITH_RETRY_AFTER: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Every error code of a single event. docs/errors.md lists exactly these. Those from `invalid_type` on are zod's. */
export const verdictCodes = [
  "required",
  "malformed_json",
  "unknown_attribute",
  "unknown_type",
  "unknown_version",
  "schema_failed",
  "event_too_large",
  "too_deep",
  "unstorable_text",
  "unstorable_key",
  "number_out_of_range",
  "more_errors",
  "invalid_type",
  "invalid_format",
  "invalid_value",
  "invalid_union",
  "invalid_key",
  "invalid_element",
  "too_big",
  "too_small",
  "not_multiple_of",
  "unrecognized_keys",
  "custom",
] as const;

type VerdictCode = (typeof verdictCodes)[number];

/** One reason why an event is invalid: its place (JSON Pointer, RFC 6901), a stable code, and a message for people. */
export type EventError = { path: string; code: VerdictCode; message: string };

/** An error that ends a request. `detail` says what the client should do and never quotes an inner error. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: ErrorCode;
  /** More members of the problem document, for example the sources of an ambiguous id. */
  readonly members: Record<string, unknown>;

  constructor(code: ErrorCode, detail: string, options: { cause?: unknown; members?: Record<string, unknown> } = {}) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.members = options.members ?? {};
  }
}

/**
 * What to do about a failed database call. About one event: `dead-letter` it, or let it `wait` (its neighbours are
 * stored). About all events: `retry` later, or `stop`, which retries too and raises an alarm.
 */
export type Disposition = "dead-letter" | "wait" | "retry" | "stop";

/** A database call that failed, translated from the Data API's errors by one table (adapters/data-api/database-errors.ts). */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly disposition: Disposition;
  /** Stable reason, for example `not_storable`. */
  readonly reason: string;
  readonly sqlState: string | undefined;
  /** The database's own message. It may quote the event: it goes to the dead letter, never to a log. */
  readonly detail: string;

  constructor(options: {
    disposition: Disposition;
    reason: string;
    sqlState?: string;
    detail: string;
    cause?: unknown;
  }) {
    super(`${options.reason}${options.sqlState === undefined ? "" : ` (SQLSTATE ${options.sqlState})`}`, {
      cause: options.cause,
    });
    this.disposition = options.disposition;
    this.reason = options.reason;
    this.sqlState = options.sqlState;
    this.detail = options.detail;
  }

  /** Whether the database serves nobody now, so that the failure concerns every event. */
  get isOutage(): boolean {
    return this.disposition === "retry" || this.disposition === "stop";
  }
}
