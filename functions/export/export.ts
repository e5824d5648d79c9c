import type { AuditLog, Page } from "../core/access.ts";
import type { NewExport } from "../core/export-bodies.ts";
import { RequestError } from "../core/errors.ts";
import type { EventPages, EventPlan, MatchingEvents } from "../core/event-pages.ts";
import { type ExportJob, type ExportJobs, type ExportSteps, isFinished } from "../core/export-job.ts";
import {
  EXPORT_MAX_UNFINISHED,
  EXPORT_PAGE_JOBS,
  EXPORT_SAMPLE_EVENTS,
  EXPORT_START_DELAY_SECONDS,
} from "../core/export-limits.ts";
import { IDEMPOTENCY_HOURS } from "../core/idempotency.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { toStart } from "./idempotency.ts";

export type ExportDeps = {
  jobs: ExportJobs;
  steps: ExportSteps;
  pages: Pick<EventPages, "plan">;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  /** A new id, which begins with the time. */
  newId: () => string;
};

/** The caller of a request about exports. */
export type Caller = Pick<Principal, "tenant" | "keyId" | "types" | "sources"> & { requestId: string };

/** The verbs of an export but for its progress, which is the job itself: plan, start, cancel. */
export function createExport({ jobs, steps, pages, audit, clock, newId }: ExportDeps) {
  /** @throws RequestError `no_such_export`; AccessError */
  async function read({ tenant }: Pick<Caller, "tenant">, id: string): Promise<ExportJob> {
    const job = await jobs.read(tenant, id);
    if (job === undefined) throw new RequestError("no_such_export", NO_SUCH_EXPORT);
    return job;
  }

  const record = ({ tenant, keyId, requestId }: Caller, action: string, target: string, details: object) =>
    audit.append({ tenant, at: clock().toISOString(), who: keyId, action, target, details: { ...details }, requestId });

  return {
    read,

    /** Says about how many events an export would have, and shows some of them. @throws DatabaseError */
    plan: (caller: Caller, request: ExportRequest, deadline: number): Promise<EventPlan> =>
      pages.plan(matching(caller, request), EXPORT_SAMPLE_EVENTS, deadline),

    /**
     * Starts an export, or returns the one that the same idempotency key has started. The audit log has it before it begins. Its
     * message is sent before the job is written: a job without a message would wait for ever, a message without a job is dropped.
     * A start that failed, or is under way elsewhere, goes on under the id that its idempotency key stands for: one job is written.
     * @throws RequestError `too_many_exports`, `queue_unavailable`, `idempotency_key_reused`; AccessError
     */
    async start(caller: Caller, request: ExportRequest, deadline: number, idempotencyKey?: string): Promise<ExportJob> {
      const id = idempotencyKey === undefined ? newId() : await idOf(caller, request, idempotencyKey);
      const started = idempotencyKey === undefined ? undefined : await jobs.read(caller.tenant, id);
      if (started !== undefined) return started;
      await refuseTooMany(caller.tenant);
      const now = clock().toISOString();
      const { filter, from, to, format, select } = request;
      const job: ExportJob = {
        tenant: caller.tenant,
        id,
        state: "queued",
        format,
        filter,
        from,
        to,
        select,
        keyId: caller.keyId,
        types: copy(caller.types),
        sources: copy(caller.sources),
        createdAt: now,
        progressAt: now,
        rows: 0,
        scanned: 0,
        bytes: 0,
        parts: [],
        attempts: 0,
        version: 1,
      };
      await record(caller, "export.start", job.id, { filter, from, to, format, select });
      const step = { tenant: job.tenant, id: job.id };
      if (!(await steps.send(step, EXPORT_START_DELAY_SECONDS, deadline))) {
        throw new RequestError(
          "queue_unavailable",
          "The export did not start. Send the request again after Retry-After.",
        );
      }
      if (await jobs.create(job)) return job;
      if (idempotencyKey === undefined) throw new Error(`The id ${id} is taken.`);
      return read(caller, id);
    },

    /** Ends an export; the step that works on it writes no more. @throws RequestError `no_such_export`, `export_finished`; AccessError */
    async cancel(caller: Caller, id: string): Promise<ExportJob> {
      let job = await read(caller, id);
      if (job.state === "cancelled") return job;
      if (!isFinished(job)) await record(caller, "export.cancel", id, {});
      for (; !isFinished(job); job = await read(caller, id)) {
        const { leaseUntil: _until, leaseBy: _by, ...rest } = job;
        const cancelled = await jobs.replace({ ...rest, state: "cancelled", finishedAt: clock().toISOString() });
        if (cancelled !== undefined) return cancelled;
      }
      throw new RequestError("export_finished", `The export is ${job.state} already; it cannot be cancelled.`);
    },

    /** The exports of the tenant, latest first. @throws AccessError */
    list: (
      caller: Pick<Caller, "tenant">,
      page: { after: string | undefined; limit: number },
    ): Promise<Page<ExportJob>> => jobs.list(caller.tenant, page),
  };

  /** The id of the export that an idempotency key stands for, which is a new one for a new key. */
  async function idOf(caller: Caller, request: ExportRequest, key: string): Promise<string> {
    const start = toStart(caller, request, { key, job: newId(), startedAt: clock().toISOString() });
    const kept = await jobs.keepStart(start);
    if (kept.request === start.request) return kept.job;
    throw new RequestError("idempotency_key_reused", KEY_REUSED);
  }

  async function refuseTooMany(tenant: string): Promise<void> {
    const { items } = await jobs.list(tenant, { after: undefined, limit: EXPORT_PAGE_JOBS });
    const unfinished = items.filter((job) => !isFinished(job));
    if (unfinished.length < EXPORT_MAX_UNFINISHED) return;
    throw new RequestError(
      "too_many_exports",
      `The tenant has ${unfinished.length} exports that are not finished, and may have ${EXPORT_MAX_UNFINISHED}. Wait for one, or cancel one with POST /exports/{id}/cancel.`,
    );
  }
}

/** A request whose filter is the JSON text of one that parsed. */
export type ExportRequest = Omit<NewExport, "filter" | "plan"> & { filter: string | undefined };

function matching({ tenant, types, sources }: Caller, { filter, from, to }: ExportRequest): MatchingEvents {
  return { tenant, allowed: { types, sources }, filter, from, to };
}

const copy = (texts: readonly string[] | undefined) => (texts === undefined ? undefined : [...texts]);

const KEY_REUSED = `The Idempotency-Key has started an export with another body, less than ${IDEMPOTENCY_HOURS} hours ago. Send the same body, or a new key.`;

const NO_SUCH_EXPORT =
  "The tenant has no export with this id. An export can be looked up for 30 days; `GET /exports` lists them.";
