import type { AuditLog } from "../core/access.ts";
import type { ArchiveFiles } from "../core/archive-files.ts";
import { ArchiveError, type ArchiveManifest } from "../core/archive-manifest.ts";
import { RequestError } from "../core/errors.ts";
import { FilesError } from "../core/export-job.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import { forEachConcurrently } from "../core/for-each-concurrently.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { listTenant, openManifest } from "../core/read-archive.ts";
import type { NewRestoreBody } from "../core/restore-bodies.ts";
import { isFinished, type RestoreJob, type RestoreJobs, type RestoreSteps } from "../core/restore-job.ts";
import {
  RESTORE_MAX_CALLS,
  RESTORE_MAX_DAYS,
  RESTORE_MAX_MANIFESTS,
  RESTORE_MAX_UNFINISHED,
  RESTORE_MIN_DAYS,
  RESTORE_START_DELAY_SECONDS,
} from "../core/restore-limits.ts";
import { RETENTION_DAYS, RETENTIONS } from "../core/retention.ts";
import { INSTALLATION } from "../core/scopes.ts";

export type RestoreDeps = {
  jobs: RestoreJobs;
  files: Pick<ArchiveFiles, "get" | "list">;
  steps: RestoreSteps;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  /** A new id, which begins with the time. */
  newId: () => string;
};

/** The caller of a request about restores. */
export type RestoreCaller = Pick<Principal, "tenant" | "keyId"> & { requestId: string };

/** A body whose filter is the JSON text of one that parsed. */
export type RestoreWanted = Omit<NewRestoreBody, "filter" | "dryRun"> & { filter: string | undefined };

/** A manifest that was read. `isKnown`: this database has written it. */
export type PlannedManifest = { key: string; sha256: string; manifest: ArchiveManifest; isKnown: boolean };

const DAY_MS = 86_400_000;

/** The verbs of a restore but for its progress, which is the job itself: plan, start, cancel, and read what is beside. */
export function createRestore({ jobs, files, steps, audit, clock, newId }: RestoreDeps) {
  /** @throws RequestError `no_such_restore`; DatabaseError */
  async function read({ tenant }: Pick<RestoreCaller, "tenant">, id: string, deadline: number): Promise<RestoreJob> {
    const job = await jobs.read(tenant, id, deadline);
    if (job === undefined) throw new RequestError("no_such_restore", NO_SUCH_RESTORE);
    return job;
  }

  const record = ({ tenant, keyId, requestId }: RestoreCaller, action: string, target: string, details: object) =>
    audit.append({ tenant, at: clock().toISOString(), who: keyId, action, target, details: { ...details }, requestId });

  /**
   * Finds the manifests of a restore and reads each.
   * @throws RequestError `malformed_body`, `no_such_archive`, `archive_changed`, `archive_unavailable`; DatabaseError
   */
  async function plan(caller: RestoreCaller, wanted: RestoreWanted, deadline: number): Promise<PlannedManifest[]> {
    if (caller.tenant === INSTALLATION) throw new RequestError("tenant_required", TENANT_REQUIRED);
    refuseContradictions(wanted);
    try {
      const keys = wanted.manifests ?? (await list(caller.tenant, wanted));
      if (keys.length === 0) throw new RequestError("no_such_archive", "The archive has nothing of these days.");
      if (keys.length > RESTORE_MAX_MANIFESTS) {
        throw malformed(
          `it is of ${keys.length} manifests, and may be of ${RESTORE_MAX_MANIFESTS}. Ask for fewer days`,
        );
      }
      const known = await jobs.knownManifests(caller.tenant, keys, deadline);
      const planned: PlannedManifest[] = [];
      await forEachConcurrently([...keys.entries()], RESTORE_MAX_CALLS, async ([at, key]) => {
        const { manifest, sha256 } = await openManifest(files, key, known.get(key));
        // Another tenant's is as an absent one.
        if (manifest.tenant !== caller.tenant) throw new ArchiveError(key, "is missing");
        planned[at] = { key, sha256, manifest, isKnown: known.has(key) };
      });
      refuseShort(wanted, planned, clock());
      return planned;
    } catch (error) {
      if (error instanceof ArchiveError) {
        const isMissing = error.message.endsWith("is missing");
        throw new RequestError(isMissing ? "no_such_archive" : "archive_changed", `${error.message}.`, {
          cause: error,
        });
      }
      if (error instanceof FilesError)
        throw new RequestError("archive_unavailable", "Send the request again after Retry-After.", { cause: error });
      throw error;
    }
  }

  const list = (tenant: string, { from = "", to = from }: RestoreWanted): Promise<string[]> =>
    listTenant(files, { tenant, classes: RETENTIONS, days: daysOf(from, to), calls: RESTORE_MAX_CALLS });

  return {
    read,
    plan,

    /**
     * Starts a restore. The audit log has it before it begins. Its message is sent before the job is written: a job without a
     * message would wait for ever, a message without a job is dropped after some attempts.
     * @throws RequestError as `plan`, and `too_many_restores`, `queue_unavailable`; AccessError; DatabaseError
     */
    async start(caller: RestoreCaller, wanted: RestoreWanted, deadline: number): Promise<RestoreJob> {
      await refuseTooMany(caller.tenant, deadline);
      const manifests = await plan(caller, wanted, deadline);
      const { manifests: named, from, to, filter, into, retention = "keep" } = wanted;
      const id = newId();
      await record(caller, "restore.start", id, { manifests: named, from, to, filter, into, retention });
      if (!(await steps.send({ restore: id }, RESTORE_START_DELAY_SECONDS, deadline)))
        throw new RequestError("queue_unavailable", "Nothing began. Send the request again after Retry-After.");
      return jobs.start(
        {
          id,
          tenant: caller.tenant,
          into,
          retention: into === "live" ? RETENTION_DAYS[retention] : undefined,
          request: { manifests: named, from, to, filter },
          manifests: manifests.map(({ key, sha256 }) => [key, sha256]),
          keyId: caller.keyId,
          planned: manifests.reduce((sum, { manifest }) => sum + manifest.rows, 0),
        },
        deadline,
      );
    },

    /**
     * Asks a job to end; what it has restored stays. Its message may be waiting, so another one is sent.
     * @throws RequestError `no_such_restore`, `restore_finished`; AccessError; DatabaseError
     */
    async cancel(caller: RestoreCaller, id: string, deadline: number): Promise<RestoreJob> {
      const job = await read(caller, id, deadline);
      if (job.state === "cancelled") return job;
      if (isFinished(job)) {
        throw new RequestError("restore_finished", `It is ${job.state} already; it cannot be cancelled.`);
      }
      if (!job.isCancelling) await record(caller, "restore.cancel", id, {});
      const cancelled = await jobs.cancel(caller.tenant, id, deadline);
      await steps.send({ restore: id }, 0, deadline);
      return cancelled ?? job;
    },

    /** The jobs of the tenant, latest first. @throws DatabaseError */
    list: (
      { tenant }: Pick<RestoreCaller, "tenant">,
      page: { after: string | undefined; limit: number },
      deadline: number,
    ) => jobs.list(tenant, page, deadline),

    /** Events beside the live ones. @throws RequestError `no_such_restore`; DatabaseError */
    async readEvents(
      caller: Pick<RestoreCaller, "tenant">,
      id: string,
      page: { after: string | undefined; limit: number },
      deadline: number,
    ) {
      const job = await read(caller, id, deadline);
      if (job.into === "live")
        throw new RequestError("no_such_restore", "Its events are among the live ones: GET /events lists them.");
      if (job.droppedAt !== undefined)
        throw new RequestError("no_such_restore", `Its events were deleted at ${job.droppedAt}. Restore them again.`);
      return jobs.readEvents(job, page, deadline);
    },
  };

  async function refuseTooMany(tenant: string, deadline: number): Promise<void> {
    const unfinished = await jobs.countUnfinished(tenant, deadline);
    if (unfinished < RESTORE_MAX_UNFINISHED) return;
    throw new RequestError(
      "too_many_restores",
      `The tenant has ${unfinished} restores that are not finished, and may have ${RESTORE_MAX_UNFINISHED}. Wait for one, or cancel one with POST /restores/{id}/cancel.`,
    );
  }
}

/** The filter is read from the text of the body, because its numbers may have more digits than a double keeps. @throws RequestError `bad_filter` */
export function toWanted(
  { dryRun: _isPlan, filter: _parsed, ...body }: NewRestoreBody,
  text: Uint8Array,
): RestoreWanted {
  const filter = filterFromBody(text);
  return { ...body, filter: filter && JSON.stringify(filter) };
}

function refuseContradictions({ manifests, from, to, into, retention }: RestoreWanted): void {
  if (manifests !== undefined && (from !== undefined || to !== undefined))
    throw malformed("from, to: `manifests` names the files already. Leave out the days, or the manifests");
  if (manifests === undefined && from === undefined)
    throw malformed("it has neither `manifests` nor `from`. Give one of them");
  if (from !== undefined && to !== undefined && to < from) throw malformed("to: is before from");
  if (from !== undefined && to !== undefined && daysOf(from, to).length > RESTORE_MAX_DAYS)
    throw malformed(`to: is more than ${RESTORE_MAX_DAYS} days behind from. Restore in several jobs`);
  if (into === "beside" && retention !== undefined)
    throw malformed('retention: is for events among the live ones. Leave it out, or ask for `"into": "live"`');
}

/** Events of a class whose time is nearly over would be dropped at once. */
function refuseShort(
  { into, retention = "keep" }: RestoreWanted,
  manifests: readonly PlannedManifest[],
  now: Date,
): void {
  const days = RETENTION_DAYS[retention];
  if (into === "beside" || days === 0) return;
  const first = manifests.map(({ manifest }) => manifest.day).toSorted()[0] ?? "";
  const dropped = Date.parse(first) + (days + 1) * DAY_MS;
  if (dropped >= now.getTime() + RESTORE_MIN_DAYS * DAY_MS) return;
  throw malformed(
    `retention: events of ${first} with the class ${retention} would be dropped again at ${new Date(dropped).toISOString()}. Take a longer class, or leave it out for \`keep\``,
  );
}

function daysOf(from: string, to: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to) && days.length <= RESTORE_MAX_DAYS; at += DAY_MS)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}

const malformed = (fault: string) => new RequestError("malformed_body", `The body is not valid: ${fault}.`);

const TENANT_REQUIRED = "Name the tenant whose events are restored in the header `Sluice-Tenant`.";

const NO_SUCH_RESTORE = "The tenant has no restore with this id. `GET /restores` lists them.";
