import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import { RETENTION_PLAN_DAYS } from "../core/retention-limits.ts";
import type { RestoreRoutes, retainRoutes } from "../routes/retain.ts";
import type { Handlers } from "../routes/route.ts";
import type { createRetain } from "./retain.ts";

/** Answers the routes of retention; those of restores are answered by others. */
export function createRetainEndpoints(
  retain: ReturnType<typeof createRetain>,
  restores: Handlers<RestoreRoutes>,
): Handlers<typeof retainRoutes> {
  return {
    ...restores,
    readRetention: async ({ query, deadline }) => {
      const plan = await retain.plan(query.days ?? RETENTION_PLAN_DAYS, deadline - ANSWER_RESERVE_MS);
      return { status: 200, body: JSON.stringify(plan) };
    },
  };
}
