import type { Caller, CheckKey } from "../../core/check-key.ts";
import { RequestError } from "../../core/errors.ts";
import { requireOwnOrigin } from "../../core/own-origin.ts";
import { SESSION_COOKIE } from "../../core/session.ts";
import type { HttpMiddleware, Operation } from "./http-middleware.ts";
import type { SentHeaders } from "./read-headers.ts";

/**
 * Names the caller of a request, as the route's `auth` asks for. A public route asks for no key and reads none. A browser sends
 * the cookie of a session by itself, so with that one a request that changes something must come from our own page.
 */
export function authenticate(checkKey: CheckKey): HttpMiddleware {
  return {
    before: async ({ event }) => {
      const { route } = event.operation as Operation;
      if (route.auth === "public") return;
      const sent = event.sent as SentHeaders;
      const caller = callerOf(sent);
      if (caller.session !== undefined && route.method !== "GET") requireOwnOrigin(sent.headers);
      event.principal = await checkKey(caller, route.auth);
    },
  };
}

/** For a function whose routes are all public. @throws Error for any other route */
export const refuseKeys: CheckKey = () => {
  throw new Error("The function has a route that asks for a key, and no access to the keys.");
};

/** A key in a header goes before a cookie. @throws RequestError where two keys or two tenants are named */
function callerOf({ headers, repeatedHeaders }: SentHeaders): Caller {
  for (const name of ["authorization", "x-api-key", "sluice-tenant"]) {
    if (repeatedHeaders.includes(name)) throw new RequestError("bad_header", `${name} is there twice. Send it once.`);
  }
  const { authorization, "x-api-key": apiKey, "sluice-tenant": tenant } = headers;
  if (authorization === undefined && apiKey === undefined) return { key: undefined, ...sessionOf(headers), tenant };
  if (authorization === undefined) return { key: apiKey, tenant };
  const key = bearer(authorization);
  if (apiKey !== undefined && apiKey !== key) {
    throw new RequestError("bad_header", "`Authorization` and `x-api-key` have different keys. Send one of them.");
  }
  return { key, tenant };
}

/**
 * The session of the cookie; nothing where there is none. Of two values none counts: another site of the domain may have set one.
 * @see RFC 6265 section 5.4
 */
function sessionOf({ cookie }: SentHeaders["headers"]): { session?: string } {
  const pairs = (cookie ?? "").split(";").map((pair) => pair.trim());
  const values = new Set(pairs.filter((pair) => pair.startsWith(`${SESSION_COOKIE}=`)));
  if (values.size === 0) return {};
  return { session: values.size === 1 ? [...values].join().slice(SESSION_COOKIE.length + 1) : "" };
}

/** RFC 6750 section 2.1; the scheme is case-insensitive (RFC 9110 section 11.1). Any other text is refused as no key. */
function bearer(text: string): string {
  return /^bearer +(\S+)$/i.exec(text)?.[1] ?? "";
}
