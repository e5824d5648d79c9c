import { RequestError } from "../core/errors.ts";
import type { HttpRequest, HttpResponse } from "../core/http.ts";
import { ANSWER_RESERVE_MS, ID_MAX_BYTES, SOURCE_MAX_BYTES } from "../core/limits.ts";
import { DEFAULT_TENANT } from "../core/tenant.ts";
import type { createQuery } from "./query.ts";

/** `GET /events/{id}` */
export function createEventRoute(query: ReturnType<typeof createQuery>) {
  return async function eventRoute(request: HttpRequest): Promise<HttpResponse> {
    const body = await query({
      tenant: DEFAULT_TENANT,
      id: checked("id", request.parameters["id"] ?? "", ID_MAX_BYTES),
      source:
        request.query["source"] === undefined
          ? undefined
          : checked("source", request.query["source"], SOURCE_MAX_BYTES),
      deadline: request.deadline - ANSWER_RESERVE_MS,
    });
    return { status: 200, headers: { "content-type": "application/cloudevents+json" }, body };
  };
}

/** What no stored event can have is not worth waking the database for. @throws RequestError `bad_parameter` */
function checked(name: string, value: string, maxBytes: number): string {
  if (value !== "" && Buffer.byteLength(value) <= maxBytes && !value.includes("\u0000") && value.isWellFormed())
    return value;
  throw new RequestError(
    "bad_parameter",
    `${name} is empty, longer than ${maxBytes} bytes, or no text that can be stored.`,
  );
}

/** `GET /health`: the API and this function answer. It asks no database, which it would wake from its pause. */
export async function healthRoute(): Promise<HttpResponse> {
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ status: "ok" }) };
}
