import { RequestError } from "../core/errors.ts";
import { DEFAULT_TENANT } from "../core/event.ts";
import type { HttpRequest, HttpResponse } from "../core/http.ts";
import { ANSWER_RESERVE_MS } from "../core/limits.ts";
import type { createQuery } from "./query.ts";

/** `GET /events/{id}` */
export function createEventRoute(query: ReturnType<typeof createQuery>) {
  return async function eventRoute(request: HttpRequest): Promise<HttpResponse> {
    const id = request.parameters["id"];
    if (id === undefined || id === "") throw new RequestError("bad_parameter", "The path has no event id.");
    const body = await query({
      tenant: DEFAULT_TENANT,
      id,
      source: request.query["source"],
      deadline: request.deadline - ANSWER_RESERVE_MS,
    });
    return { status: 200, headers: { "content-type": "application/cloudevents+json" }, body };
  };
}

/** `GET /health`: the API and this function answer. It asks no database, which it would wake from its pause. */
export async function healthRoute(): Promise<HttpResponse> {
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ status: "ok" }) };
}
