import type { CheckKey } from "../../core/check-key.ts";
import { RequestError } from "../../core/errors.ts";
import type { HttpMiddleware, Operation } from "./http-middleware.ts";
import type { SentHeaders } from "./read-headers.ts";

/** Names the caller of a request, as the route's `auth` asks for. A public route asks for no key and reads none. */
export function authenticate(checkKey: CheckKey): HttpMiddleware {
  return {
    before: async ({ event }) => {
      const { route } = event.operation as Operation;
      if (route.auth === "public") return;
      event.principal = await checkKey(callerOf(event.sent as SentHeaders), route.auth);
    },
  };
}

/** For a function whose routes are all public. @throws Error for any other route */
export const refuseKeys: CheckKey = () => {
  throw new Error("The function has a route that asks for a key, and no access to the keys.");
};

/** @throws RequestError where two keys or two tenants are named */
function callerOf({ headers, repeatedHeaders }: SentHeaders) {
  for (const name of ["authorization", "x-api-key", "sluice-tenant"]) {
    if (repeatedHeaders.includes(name)) throw new RequestError("bad_header", `${name} is there twice. Send it once.`);
  }
  const { authorization, "x-api-key": apiKey, "sluice-tenant": tenant } = headers;
  if (authorization === undefined) return { key: apiKey, tenant };
  const key = bearer(authorization);
  if (apiKey !== undefined && apiKey !== key) {
    throw new RequestError("bad_header", "`Authorization` and `x-api-key` have different keys. Send one of them.");
  }
  return { key, tenant };
}

/** RFC 6750 section 2.1; the scheme is case-insensitive (RFC 9110 section 11.1). Any other text is refused as no key. */
function bearer(text: string): string {
  return /^bearer +(\S+)$/i.exec(text)?.[1] ?? "";
}
