import type { IncomingMessage } from "node:http";
import { isBinary } from "./media-types.ts";
import type { RequestContext } from "./request-context.ts";
import type { RouteMatch } from "./router.ts";

/**
 * Headers that a REST API does not pass on.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
const DROPPED_HEADERS = new Set([
  "connection",
  "content-length",
  "content-md5",
  "expect",
  "max-forwards",
  "proxy-authenticate",
  "server",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "www-authenticate",
]);

/**
 * The Lambda proxy event (payload format 1.0) of a request, as JSON text.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
 *
 * `Content-Encoding` is passed on although the body is inflated already, as seen on AWS (dougmoscrop/serverless-http
 * issue 194): a handler must not infer the body's encoding from it.
 */
export function proxyEvent(
  request: IncomingMessage,
  options: {
    route: RouteMatch;
    path: string;
    query: string;
    body: Buffer;
    binaryMediaTypes: string[];
    context: RequestContext;
    traceId: string;
  },
): string {
  const { route, body, context } = options;
  const headers = groupHeaders(request, options.traceId);
  const query = groupQuery(options.query);
  const base64 = body.length > 0 && isBinary(options.binaryMediaTypes, request.headers["content-type"]);
  return JSON.stringify({
    resource: route.resource,
    path: options.path,
    httpMethod: context.httpMethod,
    headers: lastOf(headers),
    multiValueHeaders: Object.fromEntries(headers),
    queryStringParameters: query === null ? null : lastOf(query),
    multiValueQueryStringParameters: query === null ? null : Object.fromEntries(query),
    pathParameters: route.pathParameters,
    stageVariables: null,
    requestContext: { resourceId: route.resource, resourcePath: route.resource, ...context },
    body: body.length === 0 ? null : body.toString(base64 ? "base64" : "utf8"),
    isBase64Encoded: base64,
  });
}

/** Header values by name in the client's case, with the headers that a regional endpoint adds. */
function groupHeaders(request: IncomingMessage, traceId: string): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  const spelling = new Map<string, string>();
  const add = (name: string, value: string) => {
    const lower = name.toLowerCase();
    const known = spelling.get(lower) ?? name;
    spelling.set(lower, known);
    const values = headers.get(known);
    if (values === undefined) headers.set(known, [value]);
    else values.push(value);
  };
  const set = (name: string, value: string) => {
    headers.set(spelling.get(name.toLowerCase()) ?? name, [value]);
  };

  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    if (!DROPPED_HEADERS.has(name.toLowerCase())) add(name, request.rawHeaders[index + 1] ?? "");
  }
  const forwardedFor = request.headers["x-forwarded-for"];
  const address = request.socket.remoteAddress ?? "127.0.0.1";
  set("X-Forwarded-For", forwardedFor === undefined ? address : `${String(forwardedFor)}, ${address}`);
  set("X-Forwarded-Port", String(request.socket.localPort ?? ""));
  set("X-Forwarded-Proto", "http");
  set("X-Amzn-Trace-Id", traceId);
  return headers;
}

/** Query values by name, decoded as a form (`+` is a space); null without any. */
function groupQuery(query: string): Map<string, string[]> | null {
  if (query === "") return null;
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) values.set(name, [...(values.get(name) ?? []), value]);
  return values.size > 0 ? values : null;
}

function lastOf(values: Map<string, string[]>): Record<string, string> {
  return Object.fromEntries(Array.from(values, ([name, all]) => [name, all.at(-1) ?? ""]));
}
