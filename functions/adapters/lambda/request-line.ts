import type { HttpResponse } from "../../core/http.ts";
import { METRICS, type MetricName } from "../../core/metric-names.ts";
import type { HttpMiddleware } from "./http-middleware.ts";
import { loggableError } from "./loggable-error.ts";
import type { Observability } from "./observability.ts";

/** Writes one log line for each request, and counts it. */
export function requestLine({ logger, metrics }: Observability): HttpMiddleware {
  const write: HttpMiddleware["after"] = ({ event, response, error }) => {
    const { status, metrics: counts } = response as HttpResponse;
    const fields = {
      route: `${event.httpMethod} ${event.resource}`,
      status,
      durationMs: Math.round(performance.now() - (event.started ?? 0)),
      requestId: event.requestContext.requestId,
      tenant: event.principal?.tenant,
      keyId: event.principal?.keyId,
      requestBytes: Buffer.byteLength(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
      ...counts,
    };
    if (status >= 500) logger.error("request", { ...fields, error: loggableError(error) });
    else logger.info("request", fields);
    const numbers = Object.entries({ Requests: 1, ...counts }) as [MetricName, number][];
    for (const [name, value] of numbers) metrics.addMetric(name, METRICS[name], value);
  };
  return {
    before: ({ event }) => {
      event.started = performance.now();
    },
    after: write,
    onError: write,
  };
}
