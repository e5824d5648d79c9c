import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import { RETENTION_PLAN_DAYS } from "../core/retention-limits.ts";
import type { ErasureRoutes } from "../routes/erasures.ts";
import type { HoldRoutes, RestoreRoutes, retainRoutes } from "../routes/retain.ts";
import type { Handlers } from "../routes/route.ts";
import type { createRetain } from "./retain.ts";

/** Answers the routes of retention; those of restores, holds and erasures are answered by others. */
export function createRetainEndpoints(
  retain: ReturnType<typeof createRetain>,
  restores: Handlers<RestoreRoutes>,
  holds: Handlers<HoldRoutes>,
  erasures: Handlers<ErasureRoutes>,
): Handlers<typeof retainRoutes> {
  return {
    ...restores,
    ...holds,
    ...erasures,
    readRetention: async ({ query, deadline }) => {
      const plan = await retain.plan(query.days ?? RETENTION_PLAN_DAYS, deadline - ANSWER_RESERVE_MS);
      return { status: 200, body: JSON.stringify(plan) };
    },
  };
}
