import type { MetricCounts } from "./metric-names.ts";
import type { Principal } from "./principal.ts";
import type { RequestTrace } from "./trace.ts";

/** A request without its transport: API Gateway today, a function URL or an HTTP API by one more adapter. */
export type HttpRequest<Parameters = object, Query = object, Caller = Principal | undefined> = {
  method: string;
  /** The requested path, without the name of API Gateway's stage. */
  path: string;
  /** Names in lower case; repeated fields joined by a comma (RFC 9110 section 5.3). */
  headers: Record<string, string | undefined>;
  /** Names of the headers that were sent more than once. */
  repeatedHeaders: readonly string[];
  /** Path parameters, decoded and parsed by the route's schemas. */
  parameters: Parameters;
  /** Query parameters, parsed by the route's schemas. */
  query: Query;
  /** The caller; undefined on a public route. */
  principal: Caller;
  body: Uint8Array;
  /** True if the transport has undone the content encoding, though its header is still there. */
  inflated: boolean;
  requestId: string;
  /** Undefined where the request is none of an invocation. */
  trace?: RequestTrace;
  /** The end of the invocation, ms since the epoch. */
  deadline: number;
};

export type HttpResponse<Status extends number = number> = {
  status: Status;
  /** Headers beside the content type, which the route names. */
  headers?: Record<string, string>;
  body: string;
  /** The body is bytes, as base64. */
  isBase64?: true;
  /** Counts for this request, by metric name. */
  metrics?: MetricCounts;
};
