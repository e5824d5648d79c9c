import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import type { queryRoutes } from "../routes/query.ts";
import type { Handlers } from "../routes/route.ts";
import type { createQuery } from "./query.ts";

/** Answers the routes of query. */
export function createQueryEndpoints(query: ReturnType<typeof createQuery>): Handlers<typeof queryRoutes> {
  return {
    readEvent: async ({ principal, parameters, query: { source }, deadline }) => {
      const body = await query({
        principal,
        id: parameters.id,
        source,
        deadline: deadline - ANSWER_RESERVE_MS,
      });
      return { status: 200, body };
    },

    // It does not ask the database, which would wake from its pause.
    health: async () => ({ status: 200, body: JSON.stringify({ status: "ok" }) }),
  };
}
