import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import { readOnce } from "../core/idempotency.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { readBody } from "../core/read-body.ts";
import { newDiscard, newReplay } from "../core/replay-bodies.ts";
import { REPLAY_ANSWER_MS, REPLAY_BODY_MAX_BYTES, REPLAY_PAGE_JOBS } from "../core/replay-limits.ts";
import type { replayRoutes } from "../routes/replay.ts";
import type { Handlers } from "../routes/route.ts";
import { toAnswer, toPlanAnswer } from "./answers.ts";
import { readEdits } from "./edits.ts";
import type { Caller, createReplay, Wanted } from "./replay.ts";
import { toRequest } from "./to-request.ts";

export type EndpointDeps = { replays: ReturnType<typeof createReplay>; clock: Clock };

/** Answers the routes of replay. */
export function createReplayEndpoints({ replays, clock }: EndpointDeps): Handlers<typeof replayRoutes> {
  /** A step of the same function has longer than an answer. */
  const deadlineOf = ({ deadline }: { deadline: number }) =>
    Math.min(deadline - ANSWER_RESERVE_MS, clock().getTime() + REPLAY_ANSWER_MS);

  async function planOrStart(request: StartRequest, wanted: Wanted, dryRun: boolean) {
    const [caller, deadline] = [callerOf(request), deadlineOf(request)];
    if (dryRun) {
      return { status: 200 as const, body: JSON.stringify(toPlanAnswer(await replays.plan(caller, wanted, deadline))) };
    }
    const job = await replays.start(caller, wanted, deadline, readOnce(request));
    const headers = { location: `${LOCATIONS[wanted.action]}${job.id}` };
    return { status: 202 as const, headers, body: JSON.stringify(toAnswer(job)) };
  }

  return {
    startReplay: (request) => {
      const { dryRun = false, planned, ...body } = readBody(newReplay, request, REPLAY_BODY_MAX_BYTES);
      // It refuses a body that is nested too deep, which edits could not be read from.
      const wanted = toRequest(body, request.body);
      const edits = readEdits(body.edits ?? [], request.body);
      return planOrStart(request, { action: "replay", request: wanted, edits, planned }, dryRun);
    },

    discardDeadLetters: (request) => {
      const { dryRun = false, planned, ...body } = readBody(newDiscard, request, REPLAY_BODY_MAX_BYTES);
      const wanted = toRequest(body, request.body);
      return planOrStart(request, { action: "discard", request: wanted, edits: [], planned }, dryRun);
    },

    listReplays: async (request) => {
      const { after, limit = REPLAY_PAGE_JOBS } = request.query;
      const { items, next } = await replays.list(callerOf(request), { after, limit }, deadlineOf(request));
      return { status: 200, body: JSON.stringify({ replays: items.map(toAnswer), next }) };
    },

    readReplay: async (request) => {
      const job = await replays.read(callerOf(request), request.parameters.id, deadlineOf(request));
      return { status: 200, body: JSON.stringify(toAnswer(job)) };
    },

    cancelReplay: async (request) => {
      const job = await replays.cancel(callerOf(request), request.parameters.id, deadlineOf(request));
      return { status: 200, body: JSON.stringify(toAnswer(job)) };
    },
  };
}

type CallerRequest = { principal: Principal; requestId: string };

type StartRequest = CallerRequest & Parameters<typeof readOnce>[0] & { deadline: number };

function callerOf({ principal, requestId }: CallerRequest): Caller {
  return { ...principal, requestId };
}

/** Relative to the path of the request. */
const LOCATIONS = { replay: "replays/", discard: "../replays/" };
