import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import { newExport } from "../core/export-bodies.ts";
import type { ExportFiles } from "../core/export-job.ts";
import { EXPORT_ANSWER_MS, EXPORT_BODY_MAX_BYTES, EXPORT_PAGE_JOBS } from "../core/export-limits.ts";
import { readIdempotencyKey } from "../core/idempotency.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { readBody } from "../core/read-body.ts";
import type { exportRoutes } from "../routes/export.ts";
import type { Handlers } from "../routes/route.ts";
import { toAnswer, toReceipt } from "./answers.ts";
import type { Caller, createExport } from "./export.ts";
import { toRequest } from "./to-request.ts";

export type EndpointDeps = {
  exports: ReturnType<typeof createExport>;
  files: Pick<ExportFiles, "link">;
  clock: Clock;
};

/** Answers the routes of export. */
export function createExportEndpoints({ exports, files, clock }: EndpointDeps): Handlers<typeof exportRoutes> {
  return {
    startExport: async (request) => {
      const caller = callerOf(request);
      const { plan = false, ...body } = readBody(newExport, request, EXPORT_BODY_MAX_BYTES);
      const wanted = toRequest(body, request.body);
      const idempotencyKey = readIdempotencyKey(request);
      const deadline = Math.min(request.deadline - ANSWER_RESERVE_MS, clock().getTime() + EXPORT_ANSWER_MS);
      if (plan) {
        const { rows, relation, sample } = await exports.plan(caller, wanted, deadline);
        return { status: 200, body: `{"rows":${rows},"relation":"${relation}","sample":[${sample.join(",")}]}` };
      }
      const job = await exports.start(caller, wanted, deadline, idempotencyKey);
      return { status: 202, headers: { location: `exports/${job.id}` }, body: JSON.stringify(toAnswer(job)) };
    },

    listExports: async (request) => {
      const { after, limit = EXPORT_PAGE_JOBS } = request.query;
      const { items, next } = await exports.list(callerOf(request), { after, limit });
      return { status: 200, body: JSON.stringify({ exports: items.map(toAnswer), next }) };
    },

    readExport: async (request) => {
      const job = await exports.read(callerOf(request), request.parameters.id);
      const receipt = await toReceipt(job, { files, after: request.query.after ?? 0, now: clock() });
      return { status: 200, headers: NEVER_KEPT, body: JSON.stringify(receipt) };
    },

    cancelExport: async (request) => {
      const job = await exports.cancel(callerOf(request), request.parameters.id);
      return { status: 200, body: JSON.stringify(toAnswer(job)) };
    },
  };
}

function callerOf({ principal, requestId }: { principal: Principal; requestId: string }): Caller {
  return { ...principal, requestId };
}

/** The answer has links that open files: no cache may keep it. */
const NEVER_KEPT = { "cache-control": "no-store" };
