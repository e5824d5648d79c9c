import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import type { Clock } from "../core/ports.ts";
import type { Handlers } from "../routes/route.ts";
import type { statusRoutes } from "../routes/status.ts";
import type { createReadAlarms } from "./alarms.ts";
import type { createReadHistory } from "./history.ts";
import { toMetricsText } from "./metrics-text.ts";
import type { createListRefusals } from "./refusals.ts";
import { type createStatus, type Installation, toStatusAnswer } from "./status.ts";

/** An answer is some calls of AWS services at once; a scraper that waits longer counts it as failed. */
const ANSWER_MS = 5_000;

export type EndpointDeps = {
  status: ReturnType<typeof createStatus>;
  readHistory: ReturnType<typeof createReadHistory>;
  readAlarms: ReturnType<typeof createReadAlarms>;
  listRefusals: ReturnType<typeof createListRefusals>;
  installation: Installation;
  clock: Clock;
};

/** Answers the routes of status. */
export function createStatusEndpoints({
  status,
  readHistory,
  readAlarms,
  listRefusals,
  installation,
  clock,
}: EndpointDeps): Handlers<typeof statusRoutes> {
  const inTime = (deadline: number) => Math.min(deadline - ANSWER_RESERVE_MS, clock().getTime() + ANSWER_MS);
  const stateFor = ({ principal, deadline }: { principal: { tenant: string }; deadline: number }) =>
    status.read(principal.tenant, inTime(deadline));
  return {
    readStatus: async (request) => {
      const answer = toStatusAnswer(await stateFor(request), installation);
      return { status: 200, body: JSON.stringify(answer) };
    },

    readMetrics: async (request) => ({ status: 200, body: toMetricsText(await stateFor(request), installation) }),

    readHistory: async ({ principal, query: { span = "1h" } }) => ({
      status: 200,
      body: JSON.stringify(await readHistory(principal.tenant, span)),
    }),

    readAlarms: async ({ deadline }) => ({ status: 200, body: JSON.stringify(await readAlarms(inTime(deadline))) }),

    listRefusals: async ({ principal, query }) => ({
      status: 200,
      body: JSON.stringify(await listRefusals(principal, query)),
    }),
  };
}
