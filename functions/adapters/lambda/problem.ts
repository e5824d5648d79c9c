import { DatabaseError, errorTable, RequestError, STATUSES_WITH_RETRY_AFTER } from "../../core/errors.ts";
import type { HttpResponse } from "../../core/http.ts";
import { RETRY_AFTER_SECONDS } from "../../core/limits.ts";
import type { HttpMiddleware } from "./http-middleware.ts";

/** Answers a request that failed with a problem document. */
export function problemDocuments(): HttpMiddleware {
  return {
    onError: (invocation) => {
      invocation.error = toRequestError(invocation.error);
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
  const { status, title } = errorTable[code];
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(STATUSES_WITH_RETRY_AFTER.has(status) && { "retry-after": String(RETRY_AFTER_SECONDS) }),
      ...headers,
    },
    body: JSON.stringify({ title, status, detail, code, requestId, ...members }),
    metrics,
  };
}

function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof DatabaseError && error.disposition === "retry") {
    return new RequestError("database_unavailable", "The database does not answer now. Ask again after Retry-After.", {
      cause: error,
    });
  }
  return new RequestError(
    "internal_error",
    "The request could not be served. Send it again; if it keeps failing, tell the operator the requestId.",
    { cause: error },
  );
}
