import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import { RequestError } from "../core/errors.ts";
import { parseLossless } from "../core/lossless-json.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { readBody } from "../core/read-body.ts";
import type { RestoreAnswer, RestorePlanAnswer } from "../core/restore-answers.ts";
import { newRestore } from "../core/restore-bodies.ts";
import type { RestoreJob } from "../core/restore-job.ts";
import {
  RESTORE_ANSWER_MS,
  RESTORE_BODY_MAX_BYTES,
  RESTORE_DEFAULT_EVENTS,
  RESTORE_KEPT_DAYS,
  RESTORE_PAGE_JOBS,
} from "../core/restore-limits.ts";
import { retentionName } from "../core/retention.ts";
import type { RestoreRoutes } from "../routes/retain.ts";
import type { Handlers } from "../routes/route.ts";
import { type createRestore, type PlannedManifest, type RestoreCaller, toWanted } from "./restore.ts";

/** Answers the routes of restores. */
export function createRestoreEndpoints({
  restores,
  clock,
}: {
  restores: ReturnType<typeof createRestore>;
  clock: Clock;
}): Handlers<RestoreRoutes> {
  /** A step of the same function has longer than an answer. */
  const deadlineOf = ({ deadline }: { deadline: number }) =>
    Math.min(deadline - ANSWER_RESERVE_MS, clock().getTime() + RESTORE_ANSWER_MS);

  return {
    startRestore: async (request) => {
      const body = readBody(newRestore, request, RESTORE_BODY_MAX_BYTES);
      const wanted = toWanted(body, request.body);
      const [caller, deadline] = [callerOf(request), deadlineOf(request)];
      if (body.dryRun) {
        const plan = await restores.plan(caller, wanted, deadline);
        return { status: 200, body: JSON.stringify(toPlanAnswer(plan)) };
      }
      const job = await restores.start(caller, wanted, deadline);
      return { status: 202, headers: { location: `restores/${job.id}` }, body: JSON.stringify(toAnswer(job)) };
    },

    listRestores: async (request) => {
      const { after, limit = RESTORE_PAGE_JOBS } = request.query;
      const { items, next } = await restores.list(callerOf(request), { after, limit }, deadlineOf(request));
      return { status: 200, body: JSON.stringify({ restores: items.map((job) => toAnswer(job, false)), next }) };
    },

    readRestore: async (request) => {
      const job = await restores.read(callerOf(request), request.parameters.id, deadlineOf(request));
      return { status: 200, body: JSON.stringify(toAnswer(job)) };
    },

    readRestoredEvents: async (request) => {
      const { after, limit = RESTORE_DEFAULT_EVENTS } = request.query;
      const page = { after: after === undefined ? undefined : readCursor(after), limit };
      const { events, next } = await restores.readEvents(
        callerOf(request),
        request.parameters.id,
        page,
        deadlineOf(request),
      );
      const cursor = next === undefined ? "" : `,"next":"${Buffer.from(next).toString("base64url")}"`;
      return { status: 200, body: `{"events":[${events.join(",")}]${cursor}}` };
    },

    cancelRestore: async (request) => {
      const job = await restores.cancel(callerOf(request), request.parameters.id, deadlineOf(request));
      return { status: 200, body: JSON.stringify(toAnswer(job)) };
    },
  };
}

/** The key of an event, as the page before has written it. @throws RequestError `bad_cursor` */
function readCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString();
  try {
    const key = JSON.parse(text) as unknown;
    if (Array.isArray(key) && key.length === 3 && key.every((each) => typeof each === "string")) return text;
  } catch {
    // Refused below.
  }
  throw new RequestError("bad_cursor", "Send the `next` of the page before as it is, or leave `after` out.");
}

function callerOf({ principal, requestId }: { principal: Principal; requestId: string }): RestoreCaller {
  return { ...principal, requestId };
}

function toAnswer(job: RestoreJob, isWhole = true): RestoreAnswer {
  const { id, state, into, retention, request, planned, read, matched, restored, present, conflicts, refused } = job;
  const { keyId, createdAt, progressAt, finishedAt, reason, detail, droppedAt } = job;
  const { filter, ...asked } = request;
  const until = finishedAt === undefined ? undefined : Date.parse(finishedAt) + RESTORE_KEPT_DAYS * DAY_MS;
  return {
    id,
    state,
    into,
    retention: retention === undefined ? undefined : retentionName(retention),
    cancelling: job.isCancelling && state === "running" ? true : undefined,
    planned,
    read,
    matched,
    restored,
    present,
    conflicts,
    refused,
    keyId,
    createdAt,
    progressAt,
    finishedAt,
    reason,
    detail,
    readableUntil:
      into === "live" || until === undefined || droppedAt !== undefined ? undefined : new Date(until).toISOString(),
    manifests: isWhole ? job.manifests.map(([key, sha256]) => ({ key, sha256 })) : undefined,
    request: isWhole
      ? { ...asked, ...(filter !== undefined && { filter: parseLossless(filter).lossless }) }
      : undefined,
  };
}

const toPlanAnswer = (plan: readonly PlannedManifest[]): RestorePlanAnswer => ({
  state: "planned",
  planned: plan.reduce((sum, { manifest }) => sum + manifest.rows, 0),
  bytes: plan.reduce((sum, { manifest }) => sum + manifest.bytes, 0),
  manifests: plan.map(({ key, sha256, manifest, isKnown }) => ({ key, sha256, rows: manifest.rows, known: isKnown })),
});

const DAY_MS = 86_400_000;
