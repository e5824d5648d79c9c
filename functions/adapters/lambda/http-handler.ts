import middy from "@middy/core";
import type { APIGatewayProxyResult } from "aws-lambda";
import type { HttpRequest, HttpResponse } from "../../core/http.ts";
import type { Handlers, Routes } from "../../routes/route.ts";
import { authenticate } from "./authenticate.ts";
import type { HttpEvent, HttpMiddleware, Operation } from "./http-middleware.ts";
import { type Observability, observed } from "./observability.ts";
import { parseRequest } from "./parse-request.ts";
import { problemDocuments } from "./problem-documents.ts";
import { requestLine } from "./request-line.ts";

/**
 * The chain of every function behind the REST API: one handler for each route, one log line per request, errors as problem
 * documents.
 */
export function httpHandler<R extends Routes>(options: {
  routes: R;
  handlers: Handlers<NoInfer<R>>;
  observability: Observability;
}) {
  // The handlers end well before the function's time is up, so middy need not watch it.
  return middy<HttpEvent, HttpResponse>({ timeoutEarlyInMillis: 0 })
    .use(observed(options.observability))
    .use(proxyResult())
    .use(requestLine(options.observability))
    .use(problemDocuments())
    .use(findOperation(options.routes, options.handlers as Handlers<Routes>))
    .use(authenticate())
    .use(parseRequest())
    .handler(({ operation, request }) => (operation as Operation).handle(request as HttpRequest));
}

/** Finds the route of a request: API Gateway names it by its method and path. */
function findOperation(routes: Routes, handlers: Handlers<Routes>): HttpMiddleware {
  const operations = new Map<string, Operation>();
  for (const [name, route] of Object.entries(routes)) {
    operations.set(`${route.method} ${route.path}`, { route, handle: handlers[name] as Operation["handle"] });
  }
  return {
    before: ({ event }) => {
      const name = `${event.httpMethod} ${event.resource}`;
      event.operation = operations.get(name);
      if (event.operation === undefined)
        throw new Error(`API Gateway sent ${name}, which is no route of this function.`);
    },
  };
}

/** Writes the response, an error's too, in the shape that API Gateway expects. */
function proxyResult(): HttpMiddleware {
  const convert: HttpMiddleware["after"] = (invocation) => {
    const { status, headers, body } = invocation.response as HttpResponse;
    const contentType = invocation.event.operation?.route.answers[status]?.contentType;
    const result: APIGatewayProxyResult = {
      statusCode: status,
      headers: {
        ...(contentType !== undefined && { "content-type": contentType }),
        ...headers,
        "x-content-type-options": "nosniff",
      },
      body,
    };
    (invocation as { response: unknown }).response = result;
  };
  return { after: convert, onError: convert };
}
