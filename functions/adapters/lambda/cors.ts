import type { APIGatewayProxyResult } from "aws-lambda";
import type { HttpResponse } from "../../core/http.ts";
import { PREFLIGHT_MAX_AGE_SECONDS } from "../../core/limits.ts";
import type { AllowedMethods } from "../../routes/allowed-methods.ts";
import type { HttpEvent, HttpMiddleware } from "./http-middleware.ts";

/**
 * Lets pages of these origins read every answer, errors too, and answers a browser's preflight, which has no key. Keys are
 * in headers, so no answer allows cookies. A preflight of another origin goes on and is answered as any other OPTIONS. A
 * preflight that is answered here has no log line. (@middy/http-cors names the same methods for every path.)
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function cors({
  origins,
  allowedMethods,
}: {
  origins: readonly string[];
  allowedMethods: AllowedMethods;
}): HttpMiddleware {
  const addHeaders: HttpMiddleware["after"] = (invocation) => {
    if (origins.length === 0) return;
    const { headers, ...response } = invocation.response as HttpResponse;
    // Caches must not give the answer for one origin to another.
    const vary = headers?.["vary"] === undefined ? "origin" : `${headers["vary"]}, origin`;
    const allowed = allowedOrigin(invocation.event, origins);
    invocation.response = {
      ...response,
      headers: {
        ...headers,
        vary,
        ...(allowed !== undefined && {
          "access-control-allow-origin": allowed,
          "access-control-expose-headers": "*",
        }),
      },
    };
  };
  return {
    before: ({ event }) => {
      if (event.httpMethod !== "OPTIONS" || headerOf(event, "access-control-request-method") === undefined) return;
      const methods = allowedMethods[event.resource] ?? [];
      const allowed = allowedOrigin(event, origins);
      if (allowed === undefined || methods.length === 0) return;
      return preflightAnswer(allowed, methods, headerOf(event, "access-control-request-headers") ?? "");
    },
    after: addHeaders,
    onError: addHeaders,
  };
}

/** In the shape that API Gateway expects, because middy ends with it. */
function preflightAnswer(origin: string, methods: readonly string[], requested: string): APIGatewayProxyResult {
  const names = requested.toLowerCase().split(",");
  const headers = names.map((name) => name.trim()).filter((name) => HEADERS.has(name) || /^ce-[a-z0-9]+$/.test(name));
  return {
    statusCode: 204,
    headers: {
      "access-control-allow-origin": origin,
      "access-control-allow-methods": methods.join(", "),
      ...(headers.length > 0 && { "access-control-allow-headers": headers.join(", ") }),
      "access-control-max-age": String(PREFLIGHT_MAX_AGE_SECONDS),
      vary: "origin, access-control-request-headers",
    },
    body: "",
  };
}

/** Headers that a page may send, beside those that every page may and the attributes of an event. */
const HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "baggage",
  "content-encoding",
  "idempotency-key",
  "if-none-match",
  "content-type",
  "sluice-tenant",
  "traceparent",
  "tracestate",
  "x-api-key",
]);

function allowedOrigin(event: HttpEvent, origins: readonly string[]): string | undefined {
  const origin = headerOf(event, "origin");
  return origin !== undefined && origins.includes(origin) ? origin : undefined;
}

/** A header that was sent once. */
function headerOf({ multiValueHeaders }: HttpEvent, name: string): string | undefined {
  const found = Object.entries(multiValueHeaders ?? {}).filter(([sent]) => sent.toLowerCase() === name);
  const values = found.flatMap(([, each]) => each ?? []);
  return values.length === 1 ? values[0] : undefined;
}
