import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { RequestError, DatabaseError } from "../../core/errors.ts";
import type { HttpRequest, HttpResponse } from "../../core/http.ts";
import type { MetricName } from "../../core/metric-names.ts";
import { type Observability, observed } from "./observability.ts";
import { toProblem, toRequestError } from "./problem.ts";

type Route = (request: HttpRequest) => Promise<HttpResponse>;

/** Routes by API Gateway's own key: method and resource path, for example `GET /events/{id}`. */
type Routes = Record<string, Route>;

/**
 * The chain of every function behind the REST API: context to the log, metrics flushed, one log line per request,
 * errors as problem documents. API Gateway has matched the route already; `resource` names it.
 */
export function httpHandler({ routes, observability }: { routes: Routes; observability: Observability }) {
  // The routes end well before the function's time is up, so middy need not watch it.
  return middy<APIGatewayProxyEvent, APIGatewayProxyResult>({ timeoutEarlyInMillis: 0 })
    .use(observed(observability))
    .handler(async (event, context) => toProxyResult(await answer(event, context, routes, observability)));
}

async function answer(
  event: APIGatewayProxyEvent,
  context: Context,
  routes: Routes,
  { logger, metrics }: Observability,
) {
  const started = performance.now();
  const name = `${event.httpMethod} ${event.resource}`;
  const { requestId } = event.requestContext;
  let response: HttpResponse;
  let failure: unknown;
  try {
    const route = routes[name];
    if (route === undefined) throw new Error(`The API sends ${name} here, but the function has no such route.`);
    response = await route(toRequest(event, context));
  } catch (error) {
    failure = toRequestError(error);
    response = toProblem(failure, requestId);
  }
  const fields = {
    route: name,
    status: response.status,
    durationMs: Math.round(performance.now() - started),
    requestId,
    requestBytes: Buffer.byteLength(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
    ...response.metrics,
  };
  if (response.status >= 500) logger.error("request", { ...fields, error: loggable(failure) });
  else logger.info("request", fields);
  const counts = Object.entries({ Requests: 1, ...response.metrics }) as [MetricName, number][];
  for (const [metric, value] of counts) metrics.addMetric(metric, "Count", value);
  return response;
}

/** Names and stacks of an error and its causes; messages only of our own errors, because others may quote an event. */
function loggable(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  const [, ...frames] = (error.stack ?? "").split("\n    at ");
  const isOurs = error instanceof RequestError || error instanceof DatabaseError;
  return { name: error.name, message: isOurs ? error.message : undefined, stack: frames, cause: loggable(error.cause) };
}

function toRequest(event: APIGatewayProxyEvent, context: Context): HttpRequest {
  return {
    method: event.httpMethod,
    path: event.path,
    headers: joinHeaders(event.multiValueHeaders),
    query: event.queryStringParameters ?? {},
    parameters: decodeParameters(event.pathParameters),
    body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
    // REST APIs inflate gzip and hand the header over as it was.
    inflated: true,
    requestId: event.requestContext.requestId,
    deadline: Date.now() + context.getRemainingTimeInMillis(),
  };
}

/** REST APIs hand path parameters over percent-encoded, query parameters decoded. @throws RequestError `bad_parameter` */
function decodeParameters(encoded: Record<string, string | undefined> | null): Record<string, string> {
  const decoded: Record<string, string> = {};
  for (const [name, value] of Object.entries(encoded ?? {})) {
    try {
      decoded[name] = decodeURIComponent(value ?? "");
    } catch (cause) {
      throw new RequestError("bad_parameter", `${name} in the path is not valid percent-encoding.`, { cause });
    }
  }
  return decoded;
}

function joinHeaders(headers: Record<string, string[] | undefined> | null): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, values] of Object.entries(headers ?? {}))
    joined[name.toLowerCase()] = values?.length === 1 ? (values[0] ?? "") : (values ?? []).join(", ");
  return joined;
}

function toProxyResult(response: HttpResponse): APIGatewayProxyResult {
  return {
    statusCode: response.status,
    headers: { ...response.headers, "x-content-type-options": "nosniff" },
    body: response.body,
  };
}
