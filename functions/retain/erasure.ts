import type { AuditLog } from "../core/access.ts";
import type { NewErasureBody } from "../core/erasure-bodies.ts";
import type { ErasureJob, ErasureJobs, ErasurePlan, ErasureSelection, ErasureSteps } from "../core/erasure-job.ts";
import { ERASURE_MAX_UNFINISHED, ERASURE_PLAN_MS, ERASURE_START_DELAY_SECONDS } from "../core/erasure-limits.ts";
import type { ErasedObjects } from "../core/erasure-objects.ts";
import { RequestError } from "../core/errors.ts";
import { FilesError } from "../core/export-job.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { INSTALLATION } from "../core/scopes.ts";

export type ErasureDeps = {
  jobs: ErasureJobs;
  objects: Pick<ErasedObjects, "plan">;
  steps: ErasureSteps;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  /** A new id, which begins with the time. */
  newId: () => string;
};

/** The caller of a request about erasures. */
export type ErasureCaller = Pick<Principal, "tenant" | "keyId"> & { requestId: string };

export type ErasureWanted = Pick<NewErasureBody, "suppress"> & { why: string; selection: ErasureSelection };

/** The verbs of an erasure but for its progress, which is the job itself: plan, start, cancel. */
export function createErasure({ jobs, objects, steps, audit, clock, newId }: ErasureDeps) {
  /** @throws RequestError `no_such_erasure`; DatabaseError */
  async function read({ tenant }: Pick<ErasureCaller, "tenant">, id: string, deadline: number): Promise<ErasureJob> {
    const job = await jobs.read(tenant, id, deadline);
    if (job === undefined) throw new RequestError("no_such_erasure", NO_SUCH_ERASURE);
    return job;
  }

  /** The audit log has how events were named, and never which: it cannot be erased. */
  const record = ({ tenant, keyId, requestId }: ErasureCaller, action: string, target: string, details: object) =>
    audit.append({ tenant, at: clock().toISOString(), who: keyId, action, target, details: { ...details }, requestId });

  /**
   * Counts what would be erased.
   * @throws RequestError `tenant_required`, `on_hold`, `archive_unavailable`; AccessError; DatabaseError
   */
  async function plan({ tenant }: ErasureCaller, { selection }: ErasureWanted, deadline: number): Promise<ErasurePlan> {
    if (tenant === INSTALLATION) throw new RequestError("tenant_required", TENANT_REQUIRED);
    const { holdId, ...found } = await jobs.plan(tenant, selection, ERASURE_PLAN_MS, deadline);
    if (holdId !== undefined) throw onHold(holdId);
    try {
      return { ...found, ...(await objects.plan({ erasureId: "", tenant }, deadline)) };
    } catch (error) {
      if (!(error instanceof FilesError)) throw error;
      throw new RequestError("archive_unavailable", "Send the request again after Retry-After.", { cause: error });
    }
  }

  return {
    read,
    plan,

    /**
     * Starts an erasure. The audit log has it before it begins. Its message is sent before the job is written: a job without a
     * message would wait for ever, a message without a job is dropped after some attempts.
     * @throws RequestError as `plan`, and `too_many_erasures`, `queue_unavailable`; AccessError; DatabaseError
     */
    async start(caller: ErasureCaller, wanted: ErasureWanted, deadline: number): Promise<ErasureJob> {
      await refuseTooMany(caller.tenant, deadline);
      const planned = await plan(caller, wanted, deadline);
      const { selection, why, suppress } = wanted;
      const id = newId();
      const ids = selection.by === "ids" ? selection.ids.length : undefined;
      await record(caller, "erasure.start", id, { by: selection.by, ids, reason: why, suppress });
      if (!(await steps.send({ erasure: id }, ERASURE_START_DELAY_SECONDS, deadline)))
        throw new RequestError("queue_unavailable", "Nothing began. Send the request again after Retry-After.");
      return jobs.start(
        { id, tenant: caller.tenant, selection, why, suppress, keyId: caller.keyId, planned },
        deadline,
      );
    },

    /**
     * Ends a job that has not started.
     * @throws RequestError `no_such_erasure`, `erasure_started`; AccessError; DatabaseError
     */
    async cancel(caller: ErasureCaller, id: string, deadline: number): Promise<ErasureJob> {
      const job = await read(caller, id, deadline);
      if (job.state === "cancelled") return job;
      if (job.state === "waiting") await record(caller, "erasure.cancel", id, {});
      const now = (await jobs.cancel(caller.tenant, id, deadline)) ?? job;
      if (now.state !== "cancelled")
        throw new RequestError("erasure_started", `It is ${now.state}: what is erased cannot be brought back.`);
      return now;
    },

    /** The jobs of the tenant, latest first. @throws DatabaseError */
    list: (
      { tenant }: Pick<ErasureCaller, "tenant">,
      page: { after: string | undefined; limit: number },
      deadline: number,
    ) => jobs.list(tenant, page, deadline),
  };

  async function refuseTooMany(tenant: string, deadline: number): Promise<void> {
    const unfinished = await jobs.countUnfinished(tenant, deadline);
    if (unfinished < ERASURE_MAX_UNFINISHED) return;
    throw new RequestError(
      "too_many_erasures",
      `The tenant has ${unfinished} erasures that are not finished, and may have ${ERASURE_MAX_UNFINISHED}. Wait for one.`,
    );
  }
}

/** Reads the selection of a body. The filter is read from its text, because its numbers may have more digits than a double keeps. @throws RequestError `bad_filter`, `malformed_body` */
export function toErasureWanted(
  { subject, ids, reason, suppress, ...rest }: NewErasureBody,
  text: Uint8Array,
): ErasureWanted {
  const given = [subject, ids, rest.filter].filter((each) => each !== undefined).length;
  if (given !== 1) throw malformed("it needs one of `subject`, `ids` and `filter`, and no other");
  const common = { why: reason, suppress };
  if (subject !== undefined) return { ...common, selection: { by: "subject", subject } };
  if (ids !== undefined) {
    const keys = ids.map((each) => (typeof each === "string" ? { id: each } : each));
    return { ...common, selection: { by: "ids", ids: keys } };
  }
  const filter = filterFromBody(text);
  if (filter === undefined) throw malformed("filter: is none");
  return { ...common, selection: { by: "filter", filter: JSON.stringify(filter) } };
}

const onHold = (holdId: string) =>
  new RequestError(
    "on_hold",
    `The hold ${holdId} has one of the events. Nothing was erased. Release the hold with POST /holds/${holdId}/release, or name other events.`,
  );

const malformed = (fault: string) => new RequestError("malformed_body", `The body is not valid: ${fault}.`);

const TENANT_REQUIRED = "Name the tenant whose events are erased in the header `Sluice-Tenant`.";

const NO_SUCH_ERASURE = "The tenant has no erasure with this id. `GET /erasures` lists them.";
