import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import type { Clock } from "../core/ports.ts";
import type { Handlers } from "../routes/route.ts";
import type { statusRoutes } from "../routes/status.ts";
import { toMetricsText } from "./metrics-text.ts";
import { type createStatus, type Installation, toStatusAnswer } from "./status.ts";

/** An answer is some calls of DynamoDB and SQS at once; a scraper that waits longer counts it as failed. */
const ANSWER_MS = 5_000;

export type EndpointDeps = { status: ReturnType<typeof createStatus>; installation: Installation; clock: Clock };

/** Answers the routes of status. */
export function createStatusEndpoints({ status, installation, clock }: EndpointDeps): Handlers<typeof statusRoutes> {
  const stateFor = ({ principal, deadline }: { principal: { tenant: string }; deadline: number }) =>
    status.read(principal.tenant, Math.min(deadline - ANSWER_RESERVE_MS, clock().getTime() + ANSWER_MS));
  return {
    readStatus: async (request) => {
      const answer = toStatusAnswer(await stateFor(request), installation);
      return { status: 200, body: JSON.stringify(answer) };
    },

    readMetrics: async (request) => ({ status: 200, body: toMetricsText(await stateFor(request), installation) }),
  };
}
