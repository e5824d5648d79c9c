import type { HttpResponse } from "../../core/http.ts";
import type { Limiter } from "../../core/limiter.ts";
import { rateLimited } from "../../core/rate-limited.ts";
import { rateLimitFields } from "../../core/rate-limit-fields.ts";
import type { HttpMiddleware } from "./http-middleware.ts";

/** Takes the token of a request from the limits of its caller, before the body is read. A public route has no caller. */
export function limitRequests(limiter: Limiter | undefined): HttpMiddleware {
  return {
    before: async ({ event }) => {
      if (limiter === undefined || event.principal === undefined) return;
      event.requestGrant = await limiter.takeRequest(event.principal);
      if (event.requestGrant?.granted === 0) throw rateLimited("the request", event.requestGrant.policies);
    },
  };
}

/** Writes the limits of requests into every answer to a caller who has them, beside those that the route has written. */
export function writeLimits(): HttpMiddleware {
  const write: HttpMiddleware["after"] = (invocation) => {
    const { requestGrant: grant } = invocation.event;
    if (grant === undefined) return;
    const { headers = {}, metrics, ...response } = invocation.response as HttpResponse;
    const fields = Object.entries(rateLimitFields(grant.policies)).map(([name, value]) => [
      name,
      headers[name] === undefined ? value : `${value}, ${headers[name]}`,
    ]);
    invocation.response = {
      ...response,
      headers: { ...headers, ...Object.fromEntries(fields) },
      metrics: { ...metrics, ...(grant.isLocal && { LimitsLocal: 1 }) },
    };
  };
  return { after: write, onError: write };
}
