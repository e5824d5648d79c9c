import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import type { Clock } from "../core/ports.ts";
import type { Handlers } from "../routes/route.ts";
import type { statusRoutes } from "../routes/status.ts";
import type { createStatus } from "./status.ts";

/** An answer is some calls of DynamoDB and SQS at once; a scraper that waits longer counts it as failed. */
const ANSWER_MS = 5_000;

/** Answers the routes of status. */
export function createStatusEndpoints({
  status,
  clock,
}: {
  status: ReturnType<typeof createStatus>;
  clock: Clock;
}): Handlers<typeof statusRoutes> {
  const deadlineOf = ({ deadline }: { deadline: number }) =>
    Math.min(deadline - ANSWER_RESERVE_MS, clock().getTime() + ANSWER_MS);
  return {
    readStatus: async (request) => {
      const answer = await status.read(request.principal.tenant, deadlineOf(request));
      return { status: 200, body: JSON.stringify(answer) };
    },
  };
}
