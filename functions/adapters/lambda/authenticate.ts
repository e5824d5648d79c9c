import { type Principal, PUBLIC_PRINCIPAL } from "../../core/principal.ts";
import type { Route } from "../../routes/route.ts";
import type { HttpMiddleware, Operation } from "./http-middleware.ts";

/** Names the caller of a request, as the route's `auth` asks for. */
export function authenticate(): HttpMiddleware {
  return {
    before: ({ event }) => {
      const { route } = event.operation as Operation;
      event.principal = principalOf(route.auth);
    },
  };
}

function principalOf(auth: Route["auth"]): Principal {
  switch (auth) {
    case "public":
      return PUBLIC_PRINCIPAL;
  }
}
