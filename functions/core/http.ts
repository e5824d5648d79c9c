import type { MetricCounts } from "./metric-names.ts";

/** A request without its transport: API Gateway today, a function URL or an HTTP API by one more adapter. */
export type HttpRequest = {
  method: string;
  /** As it was asked for, without the name of the stage. */
  path: string;
  /** Names in lower case; repeated fields joined by a comma (RFC 9110 section 5.3). */
  headers: Record<string, string | undefined>;
  query: Record<string, string | undefined>;
  /** Decoded values of the route's parameters. */
  parameters: Record<string, string | undefined>;
  body: Uint8Array;
  /** Whether the transport has undone the content encoding, though its header is still there. */
  inflated: boolean;
  requestId: string;
  /** When the function is stopped, ms since the epoch. */
  deadline: number;
};

export type HttpResponse = {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** Counts for this request, by metric name. */
  metrics?: MetricCounts;
};
