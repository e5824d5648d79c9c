import type { AuditLog } from "../core/access.ts";
import { CHUNK_MAX_BYTES } from "../core/database-limits.ts";
import { RequestError } from "../core/errors.ts";
import { beginOnce, type JobStarts, type Once, withinPlan } from "../core/idempotency.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import {
  isFinished,
  type ReplayEdit,
  type ReplayJob,
  type ReplayJobs,
  type ReplayPlan,
  type ReplayRequest,
  type ReplaySteps,
} from "../core/replay-job.ts";
import { REPLAY_MAX_UNFINISHED, REPLAY_START_DELAY_SECONDS } from "../core/replay-limits.ts";
import { INSTALLATION } from "../core/scopes.ts";
import type { ValidateDeps } from "../core/validate.ts";
import { checkEdits, type SentEdit } from "./edits.ts";
import { malformed } from "./to-request.ts";

export type ReplayDeps = {
  jobs: ReplayJobs;
  starts: JobStarts;
  steps: ReplaySteps;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  /** A new id, which begins with the time. */
  newId: () => string;
  /** Against what corrected events are checked, as ingest checks events. */
  checks: Omit<ValidateDeps, "newId">;
  /** URLs of the other queues that a replay may send to. */
  queues: readonly string[];
};

/** The caller of a request about replays. */
export type Caller = Pick<Principal, "tenant" | "keyTenant" | "keyId" | "types" | "sources"> & { requestId: string };

export type Wanted = {
  action: ReplayJob["action"];
  request: ReplayRequest;
  edits: readonly SentEdit[];
  /** The number of a plan, which the job may not exceed. */
  planned?: number | undefined;
};

/** The verbs of a replay or discard but for its progress, which is the job itself: plan, start, cancel. */
export function createReplay({ jobs, starts, steps, audit, clock, newId, checks, queues }: ReplayDeps) {
  /** @throws RequestError `no_such_replay`; DatabaseError */
  async function read({ tenant }: Pick<Caller, "tenant">, id: string, deadline: number): Promise<ReplayJob> {
    const job = await jobs.read(tenant, id, deadline);
    if (job === undefined) throw new RequestError("no_such_replay", NO_SUCH_REPLAY);
    return job;
  }

  const record = ({ tenant, keyId, requestId }: Caller, action: string, target: string, details: object) =>
    audit.append({ tenant, at: clock().toISOString(), who: keyId, action, target, details: { ...details }, requestId });

  /** Everything that is to be known before a job begins. @throws RequestError `bad_edits`, `malformed_body`; DatabaseError */
  async function prepare(caller: Caller, { request, edits }: Wanted, deadline: number) {
    refuseQueue(caller, request.to);
    const scope = scopeOf(caller);
    const ids = edits.map(({ id }) => id);
    const found = ids.length === 0 ? [] : await jobs.findEditable(scope, ids, deadline);
    const checked = checkEdits(edits, found, { ...checks, allowed: scope.allowed, now: clock() });
    refuseLarge(checked);
    return { scope, checked, plan: await jobs.plan(scope, request, deadline) };
  }

  return {
    read,

    /** Says how many dead letters a job would take, and shows the oldest; nothing begins. */
    plan: async (caller: Caller, wanted: Wanted, deadline: number): Promise<ReplayPlan> =>
      (await prepare(caller, wanted, deadline)).plan,

    /**
     * Starts a job, or returns the one that the same idempotency key has started. The audit log has it before it begins. Its
     * message is sent before the job is written: a job without a message would wait for ever, a message without a job is
     * dropped after some attempts.
     * @throws RequestError `bad_edits`, `malformed_body`, `plan_changed`, `too_many_replays`, `idempotency_key_reused`,
     * `queue_unavailable`; AccessError; DatabaseError
     */
    start: (caller: Caller, wanted: Wanted, deadline: number, once?: Once): Promise<ReplayJob> =>
      beginOnce(
        starts,
        caller,
        once,
        {
          newId,
          read: (id) => jobs.read(caller.tenant, id, deadline),
          begin: (id) => begin(caller, wanted, id, deadline),
        },
        deadline,
      ),

    /**
     * Asks a job to end. What it has taken is sent before it does. Its message may be waiting, so another one is sent.
     * @throws RequestError `no_such_replay`, `replay_finished`; AccessError; DatabaseError
     */
    async cancel(caller: Caller, id: string, deadline: number): Promise<ReplayJob> {
      const job = await read(caller, id, deadline);
      if (job.state === "cancelled") return job;
      if (isFinished(job)) {
        throw new RequestError("replay_finished", `It is ${job.state} already; it cannot be cancelled.`);
      }
      if (!job.isCancelling) await record(caller, `${ACTIONS[job.action]}.cancel`, id, {});
      const cancelled = await jobs.cancel(caller.tenant, id, deadline);
      await steps.send({ id }, 0, deadline);
      return cancelled ?? job;
    },

    /** The jobs of the tenant, latest first. @throws DatabaseError */
    list: ({ tenant }: Pick<Caller, "tenant">, page: { after: string | undefined; limit: number }, deadline: number) =>
      jobs.list(tenant, page, deadline),
  };

  async function begin(caller: Caller, wanted: Wanted, id: string, deadline: number): Promise<ReplayJob> {
    const { action } = wanted;
    const { scope, checked, plan } = await prepare(caller, wanted, deadline);
    const { planned } = plan;
    const request = withinPlan(wanted.request, planned, wanted.planned);
    await refuseTooMany(caller.tenant, deadline);
    const details = { ...request, planned, edits: checked.length === 0 ? undefined : checked.length };
    await record(caller, `${ACTIONS[action]}.start`, id, details);
    if (!(await steps.send({ id }, REPLAY_START_DELAY_SECONDS, deadline))) {
      throw new RequestError("queue_unavailable", "Nothing began. Send the request again after Retry-After.");
    }
    return jobs.start({ id, action, ...scope, request, keyId: caller.keyId, planned, edits: checked }, deadline);
  }

  async function refuseTooMany(tenant: string, deadline: number): Promise<void> {
    const unfinished = await jobs.countUnfinished(tenant, deadline);
    if (unfinished < REPLAY_MAX_UNFINISHED) return;
    throw new RequestError(
      "too_many_replays",
      `The tenant has ${unfinished} replays and discards that are not finished, and may have ${REPLAY_MAX_UNFINISHED}. Wait for one, or cancel one with POST /replays/{id}/cancel.`,
    );
  }

  /** A queue gets events of its tenant out of the installation, so only its owner chooses one, of those that were deployed. */
  function refuseQueue({ keyTenant }: Caller, to: string | undefined): void {
    if (to === undefined) return;
    if (keyTenant !== INSTALLATION) {
      throw malformed("to: only a key of the installation sends to another queue. Leave it out, or ask the operator");
    }
    if (!queues.includes(to)) {
      const known = queues.length === 0 ? "the stage has none" : `these: ${queues.join(", ")}`;
      throw malformed(`to: is none of the stage's replayQueues (${known}). Add it to sluice.config.json and deploy`);
    }
  }
}

/** All edits are one parameter of a statement, in which their JSON is escaped. @throws RequestError `body_too_large` */
function refuseLarge(edits: readonly ReplayEdit[]): void {
  const bytes = Buffer.byteLength(JSON.stringify(JSON.stringify(edits)));
  if (bytes <= CHUNK_MAX_BYTES) return;
  throw new RequestError(
    "body_too_large",
    `The edits have ${bytes} bytes as they are kept; the limit is ${CHUNK_MAX_BYTES}. Send them in several replays.`,
  );
}

const ACTIONS = { replay: "replay", discard: "dead-letters.discard" } as const;

const scopeOf = ({ tenant, types, sources }: Caller) => ({ tenant, allowed: { types, sources } });

const NO_SUCH_REPLAY = "The tenant has no replay with this id. `GET /replays` lists them.";
