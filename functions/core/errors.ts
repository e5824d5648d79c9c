import type { MetricCounts } from "./metric-names.ts";

/**
 * Every error of a whole request: code (stable), status and title. docs/errors.md lists exactly these. The error of a
 * single event is in its verdict instead.
 */
export const errorTable = {
  unauthenticated: { status: 401, title: "The request has no valid key" },
  bad_code: { status: 401, title: "The code signs nobody in" },
  no_session: { status: 404, title: "The request has no session" },
  forbidden_origin: { status: 403, title: "The request comes from a page of another site" },
  tenant_suspended: { status: 403, title: "The tenant is suspended" },
  tenant_required: { status: 400, title: "The request names no tenant" },
  no_such_tenant: { status: 404, title: "There is no such tenant" },
  no_such_key: { status: 404, title: "The tenant has no such key" },
  key_ended: { status: 409, title: "The key has ended" },
  rate_limited: { status: 429, title: "A limit of the tenant or the key is reached, send the request again later" },
  queries_shed: { status: 429, title: "Events are stored first, send the query again later" },
  too_many_queries: { status: 429, title: "The tenant has too many queries under way, send this one again later" },
  access_unavailable: { status: 503, title: "Keys cannot be checked now, send the request again" },
  malformed_body: { status: 400, title: "The body is not what its content type says" },
  no_such_type: { status: 404, title: "There is no such type in the catalog" },
  no_such_version: { status: 404, title: "The type has no such version" },
  not_found: { status: 404, title: "No such event is stored" },
  dead_lettered: { status: 404, title: "The event could not be stored, and waits as a dead letter" },
  no_such_dead_letter: { status: 404, title: "There is no such dead letter" },
  ambiguous_id: { status: 409, title: "Several sources used this id" },
  no_such_file: { status: 404, title: "The page has no such file" },
  no_such_export: { status: 404, title: "The tenant has no such export" },
  export_finished: { status: 409, title: "The export is finished" },
  no_such_replay: { status: 404, title: "The tenant has no such replay" },
  replay_finished: { status: 409, title: "The replay is finished" },
  plan_changed: { status: 409, title: "More matches by now than the plan had" },
  too_many_replays: { status: 409, title: "Too many replays of the tenant are not finished" },
  bad_edits: { status: 422, title: "Some of the corrected events are not valid" },
  no_such_archive: { status: 404, title: "The archive has no such manifest" },
  archive_changed: { status: 409, title: "A file of the archive is not what was written" },
  archive_unavailable: { status: 503, title: "The archive does not answer, send the request again" },
  no_such_restore: { status: 404, title: "The tenant has no such restore" },
  restore_finished: { status: 409, title: "The restore is finished" },
  too_many_restores: { status: 409, title: "Too many restores of the tenant are not finished" },
  no_such_erasure: { status: 404, title: "The tenant has no such erasure" },
  erasure_started: { status: 409, title: "The erasure has started" },
  too_many_erasures: { status: 409, title: "Too many erasures of the tenant are not finished" },
  on_hold: { status: 409, title: "A legal hold has one of the events" },
  no_such_hold: { status: 404, title: "The tenant has no such legal hold" },
  too_many_holds: { status: 409, title: "The tenant has as many legal holds as it may have" },
  no_such_subscription: { status: 404, title: "The tenant has no such subscription" },
  too_many_subscriptions: { status: 409, title: "The tenant has as many subscriptions as it may have" },
  bad_sink: { status: 422, title: "The sink cannot be used" },
  too_many_secrets: { status: 409, title: "The subscription has as many secrets as may sign" },
  sink_unsigned: { status: 409, title: "The sink has no secret" },
  no_such_redelivery: { status: 404, title: "The subscription has no such redelivery" },
  redelivery_finished: { status: 409, title: "The redelivery is finished" },
  too_many_redeliveries: { status: 409, title: "Too many redeliveries of the subscription are not finished" },
  too_many_exports: { status: 409, title: "Too many exports of the tenant are not finished" },
  idempotency_key_reused: { status: 422, title: "The idempotency key belongs to another request" },
  body_too_large: { status: 413, title: "The body is too large" },
  too_many_values: { status: 413, title: "The request has too many values" },
  too_many_events: { status: 413, title: "The request has too many events" },
  unsupported_media_type: { status: 415, title: "The content type is not supported" },
  bad_header: { status: 400, title: "A header is not valid" },
  bad_parameter: { status: 400, title: "A parameter is not valid" },
  bad_filter: { status: 400, title: "The filter is not valid" },
  bad_cursor: { status: 400, title: "The cursor is not one of this installation" },
  cursor_mismatch: { status: 400, title: "The cursor belongs to another request" },
  cursor_expired: { status: 410, title: "The cursor cannot go on" },
  not_acceptable: { status: 406, title: "The answer has none of the types that Accept takes" },
  method_not_allowed: { status: 405, title: "The path does not have this method" },
  queue_unavailable: { status: 503, title: "The queue confirmed no event, send the request again" },
  not_all_enqueued: { status: 503, title: "Some events are to be sent again, send the request again" },
  database_unavailable: { status: 503, title: "The database does not answer, ask again" },
  internal_error: { status: 500, title: "Something went wrong on our side" },
  // API Gateway itself answers these, in the same shape.
  no_such_route: { status: 403, title: "There is no such route" },
  forbidden: { status: 403, title: "The caller may not do this" },
  throttled: { status: 429, title: "Too many requests, send this one again later" },
  gateway_timeout: { status: 504, title: "The function did not answer in time, send the request again" },
  gateway_failure: { status: 502, title: "The function failed, send the request again" },
  bad_request: { status: 400, title: "API Gateway refused the request" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof errorTable;

/** Codes that API Gateway itself answers on every route. */
export const GATEWAY_CODES = [
  "bad_request",
  "no_such_route",
  "forbidden",
  "throttled",
  "gateway_failure",
  "gateway_timeout",
] as const satisfies readonly ErrorCode[];

/** Codes that every route answers: its function's, and API Gateway's. */
const SHARED_CODES: readonly ErrorCode[] = ["bad_parameter", "internal_error", ...GATEWAY_CODES];

/** Codes that every route answers which asks for a key. */
const KEY_CODES: readonly ErrorCode[] = [
  "unauthenticated",
  "bad_header",
  "forbidden_origin",
  "tenant_required",
  "tenant_suspended",
  "no_such_tenant",
  "rate_limited",
  "access_unavailable",
];

/** Codes that every route with this `auth` answers, beside those of its own. */
export function sharedCodes(auth: string): readonly ErrorCode[] {
  return auth === "public" ? SHARED_CODES : [...SHARED_CODES, ...KEY_CODES];
}

/** The media type of a problem document (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** The body of a failed request (RFC 9457). `detail` says what to do next; `more` has the members that only this code has. */
export function problemDocument(
  code: ErrorCode,
  { detail, requestId, ...more }: { detail: string; requestId: string; [member: string]: unknown },
) {
  const { status, title } = errorTable[code];
  return { title, status, detail, code, requestId, ...more };
}

/** Statuses of answers that carry `Retry-After`: sending the same request again later may succeed. */
export const STATUSES_WITH_RETRY_AFTER: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Every error code of a single event. docs/errors.md lists exactly these. Those from `invalid_type` on are zod's. */
export const verdictCodes = [
  "required",
  "malformed_json",
  "unknown_attribute",
  "unknown_type",
  "id_conflict",
  "not_allowed",
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
  /** More headers of the answer, for example `allow`. */
  readonly headers: Record<string, string>;
  /** Counts for this request, by metric name. */
  readonly metrics: MetricCounts;

  constructor(
    code: ErrorCode,
    detail: string,
    options: {
      cause?: unknown;
      members?: Record<string, unknown>;
      headers?: Record<string, string>;
      metrics?: MetricCounts;
    } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
    this.metrics = options.metrics ?? {};
  }
}

/**
 * The treatment of events whose database call failed. Of one event: `dead-letter` it, or let it `wait` (its neighbours are
 * stored). Of all events: `retry` later, or `stop`, which retries too and raises an alarm.
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

  /** True if the database serves nobody now, so that the failure concerns every event. */
  get isOutage(): boolean {
    return this.disposition === "retry" || this.disposition === "stop";
  }
}
