import { errorTable, RequestError, DatabaseError } from "../../core/errors.ts";
import type { HttpResponse } from "../../core/http.ts";
import { RETRY_AFTER_SECONDS } from "../../core/limits.ts";

/**
 * Any error as `application/problem+json`. A 5xx says what the client can do and nothing of what happened inside.
 * @see RFC 9457
 */
export function toProblem(error: unknown, requestId: string): HttpResponse {
  const fault = toRequestError(error);
  const { status, title } = errorTable[fault.code];
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(fault.retryAfterSeconds !== undefined && { "retry-after": String(fault.retryAfterSeconds) }),
    },
    body: JSON.stringify({ title, status, detail: fault.message, code: fault.code, requestId, ...fault.members }),
  };
}

export function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof DatabaseError && error.disposition === "retry") {
    return new RequestError("database_unavailable", "The database does not answer now. Ask again after Retry-After.", {
      cause: error,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
  return new RequestError(
    "internal_error",
    "The request could not be served. Send it again; if it keeps failing, tell the operator the requestId.",
    { cause: error },
  );
}
