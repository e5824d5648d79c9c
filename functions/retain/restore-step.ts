import { AccessError } from "../core/access.ts";
import type { ArchiveFiles } from "../core/archive-files.ts";
import { archiveKey } from "../core/archive-keys.ts";
import { ArchiveError, type ArchiveManifest } from "../core/archive-manifest.ts";
import { CHUNK_MAX_BYTES, CHUNK_MAX_EVENTS } from "../core/database-limits.ts";
import { DatabaseError } from "../core/errors.ts";
import { FilesError } from "../core/export-job.ts";
import { parseFilter } from "../core/filter/filter.ts";
import { toPredicate } from "../core/filter/predicate.ts";
import { isJsonObject, parseLossless } from "../core/lossless-json.ts";
import type { Clock } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { findManifest, readPart } from "../core/read-archive.ts";
import type {
  RestoreFailure,
  RestoreJob,
  RestorePlace,
  RestoreState,
  RestoreStep,
  RestoreSteps,
  RestoreWork,
} from "../core/restore-job.ts";
import {
  RESTORE_ABSENT_ATTEMPTS,
  RESTORE_RETRY_FIRST_SECONDS,
  RESTORE_RETRY_MAX_SECONDS,
  RESTORE_STEP_MS,
  RESTORE_STEP_RESERVE_MS,
} from "../core/restore-limits.ts";
import type { WorkCheck } from "../core/work-allowed.ts";

export type RestoreStepDeps = {
  work: RestoreWork;
  files: Pick<ArchiveFiles, "get" | "list">;
  steps: RestoreSteps;
  whyEnded: WorkCheck;
  clock: Clock;
};

/** The result of a step's message: `unsent` stays in the queue, the others are done with. */
export type RestoreOutcome =
  | { kind: "absent" | "over" | "unsent" | "postponed" | "superseded" }
  | { kind: "continued"; read: number; restored: number }
  | { kind: "ended"; state: RestoreState; reason?: RestoreFailure | undefined; read: number; restored: number }
  | { kind: "retried"; reason: string };

type End = { state: RestoreState; reason?: RestoreFailure; detail?: string };

/** The clocks of the function and the database, and the time of a call. */
const LEASE_MARGIN_MS = 5_000;

/**
 * Works on a restore: reads the parts of its manifests, each of which is compared with its manifest before any line of it is used,
 * and stores what matches, chunk by chunk. A chunk counts itself in its own transaction, so whatever ends a step, the next one
 * goes on behind the last chunk, and no event is counted twice.
 */
export function createRestoreStep({ work, files, steps, whyEnded, clock }: RestoreStepDeps) {
  /** @param until when the function is stopped @throws any error that is no failure of a service */
  return async function step(message: RestoreStep, received: Holder, until: number): Promise<RestoreOutcome> {
    const deadline = until - LEASE_MARGIN_MS / 2;
    const holder = received.messageId;
    try {
      const seconds = Math.ceil((until - clock().getTime() + LEASE_MARGIN_MS) / 1_000);
      const held = await work.hold(message.restore, holder, seconds, deadline);
      switch (held.kind) {
        case "absent":
          // The request that starts the job may write it later than its message comes.
          if ((message.attempts ?? 0) >= RESTORE_ABSENT_ATTEMPTS) return { kind: "absent" };
          return await retry(message, "the job is not written yet", deadline);
        case "over":
          return { kind: "over" };
        case "leased":
          return (await steps.send(message, held.seconds, deadline)) ? { kind: "postponed" } : { kind: "unsent" };
        case "held":
          return await workOn(held.job, holder, deadline);
      }
    } catch (error) {
      if (!(error instanceof DatabaseError || error instanceof AccessError || error instanceof FilesError)) throw error;
      await work.release(message.restore, holder, deadline).catch(() => undefined);
      return retry(message, error.message, deadline);
    }
  };

  async function workOn(held: RestoreJob, holder: string, deadline: number): Promise<RestoreOutcome> {
    const stopAt = Math.min(clock().getTime() + RESTORE_STEP_MS, deadline - RESTORE_STEP_RESERVE_MS);
    const ended = await whyEnded(held, "admin");
    if (ended !== undefined) return end(held, holder, { state: "failed", ...ended }, deadline);
    try {
      let job: RestoreJob | undefined = held;
      for (;;) {
        if (job.isCancelling) return await end(job, holder, { state: "cancelled" }, deadline);
        if (job.manifestAt >= job.manifests.length) return await end(job, holder, { state: "done" }, deadline);
        if (clock().getTime() >= stopAt) return await release(job, holder, deadline);
        job = await restorePart(job, { holder, stopAt, deadline });
        if (job === undefined) return { kind: "superseded" };
      }
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      return end(held, holder, { state: "failed", reason: "archive_changed", detail: error.message }, deadline);
    }
  }

  /** Restores the rest of the part at the job's place, as far as the time goes. */
  async function restorePart(
    job: RestoreJob,
    by: { holder: string; stopAt: number; deadline: number },
  ): Promise<RestoreJob | undefined> {
    const withRequest = (stored: RestoreJob | undefined) =>
      stored && { ...stored, request: job.request, manifests: job.manifests };
    const manifest = await manifestOf(job);
    const next: RestorePlace = { manifestAt: job.manifestAt + 1, partAt: 0, lineAt: 0 };
    // Erasures have taken out all of its events.
    if (manifest.parts.length === 0)
      return withRequest(await work.store(job.id, by.holder, { lines: [], read: 0, next }, by.deadline));
    const part = manifest.parts[job.partAt];
    if (part === undefined)
      throw new ArchiveError(job.manifests[job.manifestAt]?.[0] ?? "", "has fewer parts than were read");
    const lines = await readPart(files, manifest, part);
    if (job.into === "live" && job.retention !== undefined)
      await work.ensureDay(job.retention, manifest.day, by.deadline);
    const matches = matcherOf(job);
    const isLast = job.partAt + 1 === manifest.parts.length;
    const behind: RestorePlace = isLast ? next : { manifestAt: job.manifestAt, partAt: job.partAt + 1, lineAt: 0 };

    /** Stores lines, and where the database refuses one of them all but that one. */
    async function store(start: number, end: number): Promise<RestoreJob | undefined> {
      const place = end === lines.length ? behind : { manifestAt: job.manifestAt, partAt: job.partAt, lineAt: end };
      const chunk = { lines: lines.slice(start, end).filter(matches), read: end - start, next: place };
      try {
        return withRequest(await work.store(job.id, by.holder, chunk, by.deadline));
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.disposition !== "dead-letter") throw error;
        if (end - start > 1) {
          const middle = start + Math.ceil((end - start) / 2);
          const first = await store(start, middle);
          return first === undefined || first.isCancelling ? first : store(middle, end);
        }
        const refused = `Line ${end} of ${archiveKey(manifest, part?.name ?? "")}: ${error.message}.`;
        return withRequest(await work.store(job.id, by.holder, { ...chunk, lines: [], refused }, by.deadline));
      }
    }

    let now: RestoreJob | undefined = job;
    for (let at = job.lineAt; at < lines.length; ) {
      const end = endOfChunk(lines, at);
      now = await store(at, end);
      if (now === undefined || now.isCancelling || clock().getTime() >= by.stopAt) break;
      at = end;
    }
    return now;
  }

  /** The manifest at the job's place, which is the one that its request has seen. */
  async function manifestOf({ manifests, manifestAt }: RestoreJob): Promise<ArchiveManifest> {
    const [key = "", sha256 = ""] = manifests[manifestAt] ?? [];
    return findManifest(files, key, sha256);
  }

  async function release(job: RestoreJob, holder: string, deadline: number): Promise<RestoreOutcome> {
    await work.release(job.id, holder, deadline);
    const { read, restored } = job;
    const isSent = await steps.send({ restore: job.id }, 0, deadline);
    return isSent ? { kind: "continued", read, restored } : { kind: "unsent" };
  }

  async function end(job: RestoreJob, holder: string, to: End, deadline: number): Promise<RestoreOutcome> {
    const ended = await work.end(job.id, holder, to, deadline);
    if (ended === undefined) return { kind: "superseded" };
    const { state, reason, read, restored } = ended;
    return { kind: "ended", state, reason, read, restored };
  }

  /** Sends the message of another attempt, later each time. It has no end: an outage is waited out. */
  async function retry(
    { restore, attempts = 0 }: RestoreStep,
    reason: string,
    deadline: number,
  ): Promise<RestoreOutcome> {
    const seconds = Math.min(RESTORE_RETRY_FIRST_SECONDS * 2 ** Math.min(attempts, 10), RESTORE_RETRY_MAX_SECONDS);
    const isSent = await steps.send({ restore, attempts: attempts + 1 }, seconds, deadline);
    return isSent ? { kind: "retried", reason } : { kind: "unsent" };
  }
}

type Holder = Pick<ReceivedMessage, "messageId">;

/** The end of the chunk that begins at a line: at least one line, and no more than a call takes. */
function endOfChunk(lines: readonly string[], start: number): number {
  let bytes = 0;
  for (let at = start; at < lines.length; at += 1) {
    bytes += Buffer.byteLength(JSON.stringify(lines[at]));
    if (at > start && (bytes > CHUNK_MAX_BYTES || at - start >= CHUNK_MAX_EVENTS)) return at;
  }
  return lines.length;
}

function matcherOf({ request: { filter } }: RestoreJob): (line: string) => boolean {
  if (filter === undefined) return () => true;
  const test = toPredicate(parseFilter(parseLossless(filter).lossless));
  return (line) => {
    const event = parseLossless(line).lossless;
    return isJsonObject(event) && test(event);
  };
}
