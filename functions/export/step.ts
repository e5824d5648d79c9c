import { AccessError } from "../core/access.ts";
import { DatabaseError, RequestError } from "../core/errors.ts";
import { createEventLines } from "../core/event-lines.ts";
import type { EventPages } from "../core/event-pages.ts";
import {
  type ExportFailure,
  type ExportFiles,
  type ExportJob,
  type ExportJobs,
  type ExportStep,
  type ExportSteps,
  FilesError,
  isFinished,
} from "../core/export-job.ts";
import {
  EXPORT_MAX_PARTS,
  EXPORT_NO_PROGRESS_HOURS,
  EXPORT_PAGE_EVENTS,
  EXPORT_PART_MAX_BYTES,
  EXPORT_RETRY_FIRST_SECONDS,
  EXPORT_RETRY_MAX_SECONDS,
  EXPORT_RETRY_RESERVE_MS,
  EXPORT_STEP_MS,
  EXPORT_STEP_RESERVE_MS,
} from "../core/export-limits.ts";
import type { Clock } from "../core/ports.ts";
import { EXPORT_MAX_RECEIVE_COUNT } from "../core/queue-limits.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { WorkCheck } from "../core/work-allowed.ts";
import { leaseUntil } from "./lease.ts";
import { keyOf, manifestName, manifestText, partName } from "./manifest.ts";
import { writePart, type WrittenPart } from "./write-part.ts";

export type StepDeps = {
  jobs: ExportJobs;
  files: ExportFiles;
  steps: ExportSteps;
  pages: Pick<EventPages, "read">;
  whyEnded: WorkCheck;
  clock: Clock;
  /** The size from which a part is full. @default EXPORT_PART_MAX_BYTES less what the last page may add */
  partBytes?: number;
};

/**
 * The result of a step's message: `busy` and `unsent` stay in the queue, the others are done with. `superseded`: the job was
 * cancelled, or another step holds it.
 */
export type StepOutcome =
  | { kind: "absent" | "over" | "busy" | "superseded" | "unsent" }
  | { kind: "continued" | "done"; rows: number }
  | { kind: "failed"; reason: ExportFailure }
  | { kind: "retried"; error: Error };

type Message = Pick<ReceivedMessage, "messageId" | "receiveCount">;

/** The last page and the compressor may add so much to a part that is not full yet. */
const PART_ROOM_BYTES = EXPORT_PART_MAX_BYTES / 8;

/**
 * Works on an export: takes the job, writes one part, and counts it by one conditional write of the job. Whatever ends a
 * step before that write leaves the job as it was, and the next step writes the part again; whatever ends it behind leaves a
 * job that is further, and the message, which is delivered again, goes on from there.
 */
export function createExportStep(deps: StepDeps) {
  const { jobs, files, steps, pages, whyEnded, clock } = deps;
  const partBytes = deps.partBytes ?? EXPORT_PART_MAX_BYTES - PART_ROOM_BYTES;

  /** @param until when the function is stopped @throws AccessError, where not even the job can be read */
  return async function step({ tenant, id }: ExportStep, message: Message, until: number): Promise<StepOutcome> {
    const found = await jobs.read(tenant, id);
    if (found === undefined) return { kind: "absent" };
    if (isFinished(found)) return { kind: "over" };
    if (found.leaseUntil !== undefined && found.leaseUntil > clock().toISOString()) {
      // The other step's message is in the queue until it is done. Where it is this one, delivered twice, it must stay there.
      return { kind: found.leaseBy === message.messageId ? "busy" : "superseded" };
    }
    if (message.receiveCount >= EXPORT_MAX_RECEIVE_COUNT)
      return fail(found, "crashed", "Its step ended several times without a result.");
    const lease = { leaseUntil: leaseUntil(until), leaseBy: message.messageId };
    const job = await jobs.replace({ ...found, state: "running", ...lease });
    if (job === undefined) return { kind: "busy" };
    try {
      const ended = await whyEnded(job, "events:read");
      if (ended !== undefined) return await fail(job, ended.reason, ended.detail);
      if (job.parts.length >= EXPORT_MAX_PARTS) return await fail(job, "too_large", TOO_LARGE);
      return await work(job, until);
    } catch (error) {
      if (error instanceof RequestError && error.code === "cursor_expired")
        return fail(job, "position_lost", POSITION_LOST);
      if (!isPassing(error)) throw error;
      if (error instanceof DatabaseError && !error.isOutage)
        return fail(job, "refused", "The database refuses the query of this export.");
      return retry(job, error, until);
    }
  };

  async function work(job: ExportJob, until: number): Promise<StepOutcome> {
    const name = partName(job);
    const stopAt = Math.min(clock().getTime() + EXPORT_STEP_MS, until - EXPORT_STEP_RESERVE_MS);
    const { types, sources, filter, from, to } = job;
    const events = { tenant: job.tenant, allowed: { types, sources }, filter, from, to };
    const part = await writePart(
      {
        horizon: job.horizon,
        after: job.cursor,
        read: (horizon, after) =>
          pages.read({ events, horizon, after, limit: EXPORT_PAGE_EVENTS }, until - EXPORT_RETRY_RESERVE_MS),
      },
      {
        lines: createEventLines(job),
        upload: files.upload(keyOf(job, name), "application/gzip"),
        isFull: (bytes) => bytes >= partBytes || clock().getTime() >= stopAt,
      },
    );
    const next = count(job, name, part, clock().toISOString());
    if (part.next === undefined) return finish(next, part.rows);
    if ((await jobs.replace(next)) === undefined) return { kind: "superseded" };
    return (await steps.send(job, 0, until)) ? { kind: "continued", rows: part.rows } : { kind: "unsent" };
  }

  /** Ends an export whose last part is written. The manifest is there before the job says so. */
  async function finish(job: ExportJob, rows: number): Promise<StepOutcome> {
    const finished = { ...job, state: "done" as const, manifest: manifestName(job), finishedAt: clock().toISOString() };
    const upload = files.upload(keyOf(job, finished.manifest), "application/json");
    await upload.write(Buffer.from(manifestText(finished)));
    await upload.complete();
    return (await jobs.replace(finished)) === undefined ? { kind: "superseded" } : { kind: "done", rows };
  }

  async function fail(job: ExportJob, reason: ExportFailure, detail: string): Promise<StepOutcome> {
    const failed = {
      ...withoutLease(job),
      state: "failed" as const,
      reason,
      detail,
      finishedAt: clock().toISOString(),
    };
    return (await jobs.replace(failed)) === undefined ? { kind: "superseded" } : { kind: "failed", reason };
  }

  /**
   * Gives the job back and sends the message of another attempt, later each time; an outage is waited out for a day. The message
   * is sent too where the job has changed: that may be a write of this step whose answer was lost. One too many is dropped.
   */
  async function retry(job: ExportJob, error: Error, until: number): Promise<StepOutcome> {
    const waitedMs = clock().getTime() - Date.parse(job.progressAt);
    if (waitedMs > EXPORT_NO_PROGRESS_HOURS * HOUR_MS)
      return fail(job, "no_progress", `It came no further for ${EXPORT_NO_PROGRESS_HOURS} hours.`);
    const seconds = Math.min(EXPORT_RETRY_FIRST_SECONDS * 2 ** job.attempts, EXPORT_RETRY_MAX_SECONDS);
    await jobs.replace({ ...withoutLease(job), attempts: job.attempts + 1 });
    return (await steps.send(job, seconds, until)) ? { kind: "retried", error } : { kind: "unsent" };
  }
}

const HOUR_MS = 3_600_000;

const POSITION_LOST = "The event at which a part ended was deleted before the next part began. Start the export again.";

const TOO_LARGE = `It has ${EXPORT_MAX_PARTS} parts. Export a shorter time: the files that are there are kept as long as those of a finished export.`;

/** The job with a part more, or only further where the step found nothing. */
function count(
  job: ExportJob,
  name: string,
  { rows, scanned, bytes, sha256, horizon, next }: WrittenPart,
  now: string,
): ExportJob {
  return {
    ...withoutLease(job),
    horizon,
    cursor: next,
    rows: job.rows + rows,
    scanned: job.scanned + scanned,
    bytes: job.bytes + bytes,
    parts: rows === 0 ? job.parts : [...job.parts, { name, rows, bytes, sha256 }],
    attempts: 0,
    progressAt: now,
  };
}

const withoutLease = ({ leaseUntil: _until, leaseBy: _by, ...job }: ExportJob): ExportJob => job;

/** Failures of a service that may work the next time. Any other error is a fault of the code, and ends the invocation. */
function isPassing(error: unknown): error is DatabaseError | FilesError | AccessError {
  return error instanceof DatabaseError || error instanceof FilesError || error instanceof AccessError;
}
