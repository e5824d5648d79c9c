import middy from "@middy/core";
import type { APIGatewayProxyResult } from "aws-lambda";
import type { CheckKey } from "../../core/check-key.ts";
import type { HttpRequest, HttpResponse } from "../../core/http.ts";
import { RequestError } from "../../core/errors.ts";
import type { Limiter } from "../../core/limiter.ts";
import { besideParameter } from "../../core/beside-parameter.ts";
import type { AllowedMethods } from "../../routes/allowed-methods.ts";
import type { Handlers, Routes } from "../../routes/route.ts";
import { authenticate } from "./authenticate.ts";
import { cors } from "./cors.ts";
import type { HttpEvent, HttpMiddleware, Operation } from "./http-middleware.ts";
import { limitRequests, writeLimits } from "./limit-requests.ts";
import { type Observability, observed } from "./observability.ts";
import { parseRequest } from "./parse-request.ts";
import { problemDocuments } from "./problem-documents.ts";
import { readHeaders } from "./read-headers.ts";
import { requestLine } from "./request-line.ts";

/**
 * The chain of every function behind the REST API: one handler for each route, one log line per request, errors as problem
 * documents.
 */
export function httpHandler<R extends Routes>(options: {
  routes: R;
  handlers: Handlers<NoInfer<R>>;
  /** Decides who sends a request and whether they may. */
  checkKey: CheckKey;
  allowedMethods: AllowedMethods;
  /** Origins whose pages may call the API. */
  corsOrigins: readonly string[];
  /** The limits of callers, for routes that ask for a key. */
  limiter?: Limiter;
  observability: Observability;
}) {
  // The handlers end well before the function's time is up, so middy need not watch it.
  return middy<HttpEvent, HttpResponse>({ timeoutEarlyInMillis: 0 })
    .use(observed<HttpEvent, HttpResponse>(options.observability, traceparentOf))
    .use(proxyResult(options.observability.tracing))
    .use(cors({ origins: options.corsOrigins, allowedMethods: options.allowedMethods }))
    .use(requestLine(options.observability))
    .use(writeLimits())
    .use(problemDocuments())
    .use(findOperation(options.routes, options.handlers as Handlers<Routes>, options.allowedMethods))
    .use(readHeaders())
    .use(authenticate(options.checkKey))
    .use(limitRequests(options.limiter))
    .use(parseRequest(options.observability.tracing))
    .handler(({ operation, request }) => (operation as Operation).handle(request as HttpRequest));
}

/**
 * Finds the route that API Gateway has matched, by its own name for it. API Gateway sends every method of a path; HEAD is
 * answered as GET, and a method that the path does not have with 405. A path beside a parameter is a value of the parameter for
 * the methods that it does not have itself.
 */
function findOperation(routes: Routes, handlers: Handlers<Routes>, allowedMethods: AllowedMethods): HttpMiddleware {
  const operations = new Map<string, Operation>();
  for (const [name, route] of Object.entries(routes)) {
    operations.set(`${route.method} ${route.path}`, { route, handle: handlers[name] as Operation["handle"] });
  }
  return {
    before: ({ event: { httpMethod, resource }, event }) => {
      const method = httpMethod === "HEAD" ? "GET" : httpMethod;
      event.operation = operations.get(`${method} ${resource}`);
      if (event.operation !== undefined) return;
      for (const operation of operations.values()) {
        const hidden = operation.route.method === method && besideParameter(resource, operation.route.path);
        if (!hidden) continue;
        event.operation = operation;
        event.pathParameters = { ...event.pathParameters, [hidden.name]: hidden.value };
        return;
      }
      refuseMethod(httpMethod, resource, allowedMethods[resource] ?? []);
    },
  };
}

/** @throws RequestError `method_not_allowed`; Error for a method that another function has to answer */
function refuseMethod(method: string, path: string, allowed: readonly string[]): never {
  if (allowed.length === 0 || allowed.includes(method))
    throw new Error(`API Gateway sent ${method} ${path}, which is no route of this function.`);
  const list = allowed.join(", ");
  throw new RequestError("method_not_allowed", `${method} is no method of ${path}, which has: ${list}.`, {
    headers: { allow: list },
  });
}

/** A header that was sent once: of several, none is the trace of the request (W3C Trace Context section 2.2.2). */
function traceparentOf({ multiValueHeaders: sent }: HttpEvent): string | undefined {
  for (const name in sent) {
    const isIt = name.length === TRACEPARENT_HEADER.length && name.toLowerCase() === TRACEPARENT_HEADER;
    if (isIt) return sent[name]?.length === 1 ? sent[name][0] : undefined;
  }
  return undefined;
}

const TRACEPARENT_HEADER = "traceparent";

/** Writes the response, an error's too, in the shape that API Gateway expects; with its trace, for questions about it. */
function proxyResult(tracing: Observability["tracing"]): HttpMiddleware {
  const convert: HttpMiddleware["after"] = (invocation) => {
    const { status, headers, body, isBase64 } = invocation.response as HttpResponse;
    const contentType = invocation.event.operation?.route.answers[status]?.contentType;
    const result: APIGatewayProxyResult = {
      statusCode: status,
      headers: {
        ...(contentType !== undefined && { "content-type": contentType }),
        ...headers,
        "x-content-type-options": "nosniff",
        traceparent: tracing.request().own,
      },
      // RFC 9110 section 9.3.2. No AWS page says that API Gateway drops a body here.
      body: invocation.event.httpMethod === "HEAD" ? "" : body,
      ...(isBase64 === true && invocation.event.httpMethod !== "HEAD" && { isBase64Encoded: true }),
    };
    (invocation as { response: unknown }).response = result;
  };
  return { after: convert, onError: convert };
}
