import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import type { HoldRecord } from "../core/hold.ts";
import type { HoldAnswer } from "../core/hold-answers.ts";
import { holdRelease, newHold } from "../core/hold-bodies.ts";
import { HOLD_ANSWER_MS, HOLD_BODY_MAX_BYTES, HOLDS_PAGE } from "../core/hold-limits.ts";
import { toMicroseconds } from "../core/instant.ts";
import { parseLossless } from "../core/lossless-json.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { readBody } from "../core/read-body.ts";
import type { HoldRoutes } from "../routes/retain.ts";
import type { Handlers } from "../routes/route.ts";
import type { createHoldMatches } from "./hold-matches.ts";
import type { createHoldRule, HoldCaller } from "./holds.ts";

/** Answers the routes of legal holds. */
export function createHoldEndpoints({
  holds,
  matchesOf,
  clock,
}: {
  holds: ReturnType<typeof createHoldRule>;
  matchesOf: ReturnType<typeof createHoldMatches>;
  clock: Clock;
}): Handlers<HoldRoutes> {
  /** A step of the same function has longer than an answer. */
  const deadlineOf = ({ deadline }: { deadline: number }) =>
    Math.min(deadline - ANSWER_RESERVE_MS, clock().getTime() + HOLD_ANSWER_MS);

  return {
    createHold: async (request) => {
      const { reason, until } = readBody(newHold, request, HOLD_BODY_MAX_BYTES);
      // From the text, because its numbers may have more digits than a double keeps.
      const filter = filterFromBody(request.body);
      const deadline = deadlineOf(request);
      const wanted = {
        filter: filter && JSON.stringify(filter),
        reason,
        until: until === undefined ? undefined : toMicroseconds(until),
      };
      const hold = await holds.make(callerOf(request), wanted, deadline);
      const { count, isComplete, events } = await matchesOf(hold.tenant, filter, deadline);
      const matches = `{"count":${count},"complete":${isComplete},"events":[${events.join(",")}]}`;
      return {
        status: 201,
        headers: { location: `holds/${hold.id}` },
        body: `${JSON.stringify(toAnswer(hold)).slice(0, -1)},"matches":${matches}}`,
      };
    },

    listHolds: async (request) => {
      const { after, limit = HOLDS_PAGE } = request.query;
      const { items, next } = await holds.list(callerOf(request), { after, limit }, deadlineOf(request));
      return { status: 200, body: JSON.stringify({ holds: items.map(toAnswer), next }) };
    },

    readHold: async (request) => {
      const hold = await holds.read(callerOf(request), request.parameters.id, deadlineOf(request));
      return { status: 200, body: JSON.stringify(toAnswer(hold)) };
    },

    releaseHold: async (request) => {
      const { reason } = readBody(holdRelease, request, HOLD_BODY_MAX_BYTES);
      const { id } = request.parameters;
      const hold = await holds.release(callerOf(request), id, reason, deadlineOf(request));
      return { status: 200, body: JSON.stringify(toAnswer(hold)) };
    },
  };
}

function callerOf({ principal, requestId }: { principal: Principal; requestId: string }): HoldCaller {
  return { ...principal, requestId };
}

function toAnswer({ tenant: _tenant, filter, id, state, ...hold }: HoldRecord): HoldAnswer {
  return { id, state, ...(filter !== undefined && { filter: parseLossless(filter).lossless }), ...hold };
}
