import type { ErasureAnswer } from "../core/erasure-answers.ts";
import { newErasure } from "../core/erasure-bodies.ts";
import type { ErasureCounts, ErasureJob, ErasurePlan } from "../core/erasure-job.ts";
import {
  ERASURE_ANSWER_MS,
  ERASURE_BACKUP_DAYS,
  ERASURE_BODY_MAX_BYTES,
  ERASURE_PAGE_JOBS,
  ERASURE_START_DELAY_SECONDS,
} from "../core/erasure-limits.ts";
import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { readBody } from "../core/read-body.ts";
import type { ErasureRoutes } from "../routes/erasures.ts";
import type { Handlers } from "../routes/route.ts";
import { type createErasure, type ErasureCaller, toErasureWanted } from "./erasure.ts";

/** Answers the routes of erasures. */
export function createErasureEndpoints({
  erasures,
  clock,
}: {
  erasures: ReturnType<typeof createErasure>;
  clock: Clock;
}): Handlers<ErasureRoutes> {
  /** A step of the same function has longer than an answer. */
  const deadlineOf = ({ deadline }: { deadline: number }) =>
    Math.min(deadline - ANSWER_RESERVE_MS, clock().getTime() + ERASURE_ANSWER_MS);

  return {
    startErasure: async (request) => {
      const body = readBody(newErasure, request, ERASURE_BODY_MAX_BYTES);
      const wanted = toErasureWanted(body, request.body);
      const [caller, deadline] = [callerOf(request), deadlineOf(request)];
      if (body.dryRun) {
        const plan = await erasures.plan(caller, wanted, deadline);
        return { status: 200, body: JSON.stringify({ state: "planned", planned: toPlan(plan) }) };
      }
      const job = await erasures.start(caller, wanted, deadline);
      return { status: 202, headers: { location: `erasures/${job.id}` }, body: JSON.stringify(toAnswer(job)) };
    },

    listErasures: async (request) => {
      const { after, limit = ERASURE_PAGE_JOBS } = request.query;
      const { items, next } = await erasures.list(callerOf(request), { after, limit }, deadlineOf(request));
      return { status: 200, body: JSON.stringify({ erasures: items.map(toAnswer), next }) };
    },

    readErasure: async (request) => {
      const job = await erasures.read(callerOf(request), request.parameters.id, deadlineOf(request));
      return { status: 200, body: JSON.stringify(toAnswer(job)) };
    },

    cancelErasure: async (request) => {
      const job = await erasures.cancel(callerOf(request), request.parameters.id, deadlineOf(request));
      return { status: 200, body: JSON.stringify(toAnswer(job)) };
    },
  };
}

function callerOf({ principal, requestId }: { principal: Principal; requestId: string }): ErasureCaller {
  return { ...principal, requestId };
}

const toPlan = ({ isComplete, ...counts }: ErasurePlan) => ({ ...counts, complete: isComplete });

function toAnswer(job: ErasureJob): ErasureAnswer {
  const { id, state, by, why, suppress, keyId, planned, place, counts, reason, detail } = job;
  const { createdAt, startedAt, progressAt, finishedAt } = job;
  const { rollups: _inReceipt, ...erased } = counts;
  return {
    id,
    state,
    by,
    reason: why,
    suppress,
    keyId,
    planned: toPlan(planned),
    place: state === "running" ? place : undefined,
    erased,
    createdAt,
    startsAt:
      state === "waiting"
        ? new Date(Date.parse(createdAt) + ERASURE_START_DELAY_SECONDS * 1_000).toISOString()
        : undefined,
    startedAt,
    progressAt,
    finishedAt,
    failure: reason,
    detail,
    receipt: receiptOf(job),
  };
}

/** The receipt of an erasure that has ended, also of one that failed; undefined for one that did not start. */
function receiptOf(job: ErasureJob): ErasureAnswer["receipt"] {
  const { id, keyId, finishedAt, startedAt, requestHash, counts, eventsSha256 } = job;
  if (finishedAt === undefined || startedAt === undefined || eventsSha256 === undefined) return undefined;
  const { rollups = 0, ...rest } = counts;
  return {
    id,
    by: keyId,
    at: finishedAt,
    filterHash: requestHash,
    counts: { ...NOTHING, ...rest },
    horizonBefore: job.horizonBefore ?? "0",
    horizonAfter: job.horizonAfter ?? "0",
    rollupDeltas: rollups,
    backupsExpireAt: new Date(Date.parse(finishedAt) + ERASURE_BACKUP_DAYS * DAY_MS).toISOString(),
    sha256: eventsSha256,
  };
}

const NOTHING = {
  events: 0,
  restored: 0,
  deadLetters: 0,
  deliveries: 0,
  attempts: 0,
  exports: 0,
  archive: 0,
  refusals: 0,
  keys: 0,
} satisfies ErasureCounts;

const DAY_MS = 86_400_000;
