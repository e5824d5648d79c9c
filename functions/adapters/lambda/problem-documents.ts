import { AccessError } from "../../core/access.ts";
import {
  DatabaseError,
  errorTable,
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  RequestError,
  sharedCodes,
  STATUSES_WITH_RETRY_AFTER,
} from "../../core/errors.ts";
import type { HttpResponse } from "../../core/http.ts";
import { RETRY_AFTER_SECONDS } from "../../core/limits.ts";
import type { Route } from "../../routes/route.ts";
import type { HttpMiddleware } from "./http-middleware.ts";

/** Answers a request that failed with a problem document, whose code is one that the route may answer. */
export function problemDocuments(): HttpMiddleware {
  return {
    onError: (invocation) => {
      invocation.error = refuseUnlisted(toRequestError(invocation.error), invocation.event.operation?.route);
      invocation.response = toProblem(invocation.error, invocation.event.requestContext.requestId);
    },
  };
}

/**
 * Writes an error as `application/problem+json`. A 5xx says what the client can do and never what happened inside.
 * @see RFC 9457
 */
export function toProblem(error: unknown, requestId: string): HttpResponse {
  const { code, message: detail, members, headers, metrics } = toRequestError(error);
  const { status } = errorTable[code];
  return {
    status,
    headers: {
      "content-type": PROBLEM_MEDIA_TYPE,
      ...(STATUSES_WITH_RETRY_AFTER.has(status) && { "retry-after": String(RETRY_AFTER_SECONDS) }),
      ...headers,
    },
    body: JSON.stringify(problemDocument(code, { detail, requestId, ...members })),
    metrics: status >= 500 ? { ...metrics, RequestsFailed: 1 } : metrics,
  };
}

function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof DatabaseError && error.isOutage) {
    return new RequestError("database_unavailable", "The database does not answer now. Ask again after Retry-After.", {
      cause: error,
    });
  }
  if (error instanceof AccessError) {
    return new RequestError(
      "access_unavailable",
      "The tables of keys do not answer now. Send the request again after Retry-After.",
      { cause: error },
    );
  }
  return internalError(error);
}

/** A code that the route does not list is a mistake of ours, because clients know only the documented ones. */
function refuseUnlisted(error: RequestError, route: Route | undefined): RequestError {
  const { code } = error;
  if (route === undefined || [...route.errors, ...sharedCodes(route.auth)].includes(code)) return error;
  const what = `The route does not list ${code}. Add it to the route's errors in functions/routes.`;
  return internalError(new RequestError(code, what, { cause: error }));
}

function internalError(cause: unknown): RequestError {
  return new RequestError(
    "internal_error",
    "The request could not be served. Send it again; if it keeps failing, tell the operator the requestId.",
    { cause },
  );
}
