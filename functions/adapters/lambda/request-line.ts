import type { HttpResponse } from "../../core/http.ts";
import type { HttpMiddleware } from "./http-middleware.ts";
import { loggableError } from "./loggable-error.ts";
import { monotonicMs } from "./monotonic-ms.ts";
import { type Observability, writeOutcome } from "./observability.ts";

/** Writes one log line for each request, with its counts. */
export function requestLine(observability: Observability): HttpMiddleware {
  const write: HttpMiddleware["after"] = ({ event, response, error }) => {
    const { status, metrics: counts } = response as HttpResponse;
    const route = `${event.httpMethod} ${event.resource}`;
    const fields = {
      route,
      status,
      durationMs: Math.round(monotonicMs() - (event.started ?? 0)),
      requestId: event.requestContext.requestId,
      tenant: event.principal?.tenant,
      keyId: event.principal?.keyId,
      requestBytes: Buffer.byteLength(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
    };
    const attributes = {
      "http.request.method": event.httpMethod,
      "http.route": event.resource,
      "http.response.status_code": status,
    };
    writeOutcome(observability, {
      level: status >= 500 ? "error" : "info",
      message: "request",
      fields: status >= 500 ? { ...fields, error: loggableError(error) } : fields,
      counts: counts ?? {},
      span: { name: route, kind: "server", attributes },
    });
  };
  return {
    before: ({ event }) => {
      event.started = monotonicMs();
    },
    after: write,
    onError: write,
  };
}
