import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import {
  ERASURE_MATCH_MAX_EVENTS,
  type ErasureCandidate,
  type ErasureMatch,
  type ErasureScope,
} from "../core/erasure-objects.ts";
import {
  type ErasableFiles,
  exportFolder,
  type ExportJob,
  type ExportJobs,
  FilesError,
  isFinished,
} from "../core/export-job.ts";
import { EXPORT_KEPT_DAYS, EXPORT_PAGE_JOBS } from "../core/export-limits.ts";
import { EXPORT_TIMEOUT_SECONDS } from "../core/function-limits.ts";
import type { Clock } from "../core/ports.ts";

export type EraseExportsDeps = {
  jobs: Pick<ExportJobs, "list" | "read" | "replace">;
  files: ErasableFiles;
  clock: Clock;
};

/** The place to go on at: behind an export, or within one behind a file. */
export type ExportCursor = { after: string; file?: string };

type Budget = { stopAt: number; deadline: number };

/** The time that is left where a file has taken all of it: to end the export by deleting its files. */
const RESERVE_MS = 5_000;

/**
 * Takes away the files of exports that have an erased event, all of an export's: what it was asked for can be exported again. Files
 * whose lines do not say which events they have (CSV, or selected members without `id` and `source`), files of an export that is
 * not done, and one that cannot be read in time, count as having one.
 */
export function createEraseExports({ jobs, files, clock }: EraseExportsDeps) {
  return {
    /** The exports of the tenant, of which any may have an event of the scope. @throws AccessError */
    async count(scope: ErasureScope): Promise<number> {
      let count = 0;
      for await (const job of exportsOf(scope, undefined)) if (!isExpired(job)) count += 1;
      return count;
    },

    /** @throws AccessError; FilesError, also while a step writes a file of an export that was ended; what `isErased` throws */
    async erase(
      scope: ErasureScope,
      isErased: ErasureMatch,
      from: ExportCursor | undefined,
      budget: Budget,
    ): Promise<{ exports: number; cursor: ExportCursor | undefined }> {
      let exports = 0;
      // The latest ones come first; an export that is started behind them reads no erased event.
      for await (const listed of exportsOf(scope, from)) {
        const job = await jobs.read(scope.tenant, listed.id);
        if (job !== undefined) {
          const found = await search(job, isErased, from?.after === job.id ? from.file : undefined, budget);
          if (found.kind === "unfinished") return { exports, cursor: { after: job.id, file: found.file } };
          if (found.kind === "found" && (await takeAway(job))) exports += 1;
        }
        if (clock().getTime() >= budget.stopAt) return { exports, cursor: { after: listed.id, file: LAST } };
      }
      return { exports, cursor: undefined };
    },
  };

  function isExpired({ finishedAt, erasedAt }: ExportJob): boolean {
    const end = finishedAt === undefined ? Infinity : Date.parse(finishedAt) + EXPORT_KEPT_DAYS * DAY_MS;
    return erasedAt !== undefined || end < clock().getTime();
  }

  /** The exports of a tenant, latest first, from the one of the cursor on. */
  async function* exportsOf({ tenant }: ErasureScope, from: ExportCursor | undefined): AsyncGenerator<ExportJob> {
    if (from !== undefined && from.file !== LAST) {
      const job = await jobs.read(tenant, from.after);
      if (job !== undefined) yield job;
    }
    let after = from?.after;
    do {
      const { items, next } = await jobs.list(tenant, { after, limit: EXPORT_PAGE_JOBS });
      yield* items;
      after = next;
    } while (after !== undefined);
  }

  /** Looks for an erased event in the files behind one. */
  async function search(
    job: ExportJob,
    isErased: ErasureMatch,
    behind: string | undefined,
    { stopAt, deadline }: Budget,
  ): Promise<{ kind: "none" | "found" } | { kind: "unfinished"; file: string }> {
    // The files of one that was taken away before are deleted once more: a step may have written one since.
    if (job.state !== "done" || job.erasedAt !== undefined || !namesEvents(job)) return { kind: "found" };
    const named = new Set(job.parts.map(({ name }) => name));
    for await (const key of files.list(exportFolder(job))) {
      const name = key.slice(exportFolder(job).length);
      if (name === job.manifest || (behind !== undefined && key <= behind)) continue;
      // A step that was ended has left it.
      if (!named.has(name)) await files.delete(key);
      else if (await hasErased(key, job, isErased, deadline)) return { kind: "found" };
      if (clock().getTime() >= stopAt) return { kind: "unfinished", file: key };
    }
    return { kind: "none" };
  }

  async function hasErased(key: string, job: ExportJob, isErased: ErasureMatch, deadline: number): Promise<boolean> {
    const abort = AbortSignal.timeout(Math.max(deadline - RESERVE_MS - clock().getTime(), 1));
    const isWhole = job.select === undefined;
    let isFound = false;

    async function match(lines: AsyncIterable<string>): Promise<void> {
      let batch: ErasureCandidate[] = [];
      const isAny = async () => batch.length > 0 && (await isErased("exports", batch, deadline)).includes(true);
      for await (const line of lines) {
        const { source, id } = JSON.parse(line) as { source: string; id: string };
        batch.push({ source, id, ...(isWhole && { json: line }) });
        if (batch.length < ERASURE_MATCH_MAX_EVENTS) continue;
        isFound = await isAny();
        if (isFound) return;
        batch = [];
      }
      isFound = await isAny();
    }

    try {
      const bytes = await files.read(key, abort);
      if (bytes !== undefined) await pipeline(bytes, createGunzip(), linesOf, match, { signal: abort });
      return isFound;
    } catch (error) {
      // It has taken all of the time, and would the next time; or it is no file of an export.
      if (isFound || abort.aborted || error instanceof SyntaxError || isOfZlib(error)) return true;
      throw error;
    }
  }

  /** Ends the export and deletes its files; returns whether there was something. While a step may write one, it has to be repeated. */
  async function takeAway(found: ExportJob): Promise<boolean> {
    const { tenant, id } = found;
    const keys: string[] = [];
    for await (const key of files.list(exportFolder(found))) keys.push(key);
    let job: ExportJob | undefined = found;
    if (keys.length === 0 && isFinished(job) && job.cursor === undefined && !mayBeWritten(job)) return false;
    while (job !== undefined && job.erasedAt === undefined) {
      const now = clock().toISOString();
      const { cursor: _position, ...rest } = job;
      const ended = { state: "failed" as const, reason: "erased" as const, detail: ERASED, finishedAt: now };
      const erased = await jobs.replace({ ...rest, erasedAt: now, ...(!isFinished(job) && ended) });
      job = erased ?? (await jobs.read(tenant, id));
    }
    for (const key of keys) await files.delete(key);
    if (job !== undefined && mayBeWritten(job))
      throw new FilesError(`A step may still write a file of the export ${id}. It is deleted behind that.`);
    return true;
  }

  /** A cancelled export does not say who works on it. */
  function mayBeWritten({ state, leaseUntil, finishedAt = "" }: ExportJob): boolean {
    const until = state === "cancelled" ? Date.parse(finishedAt) + STEP_MS : Date.parse(leaseUntil ?? NEVER);
    return until > clock().getTime();
  }
}

/** The longest time for which a step goes on with an export that was cancelled, and the difference of two clocks. */
const STEP_MS = EXPORT_TIMEOUT_SECONDS * 1_000 + 5_000;

const DAY_MS = 86_400_000;

const NEVER = "1970-01-01T00:00:00Z";

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

const isOfZlib = (error: unknown): boolean =>
  error instanceof Error && "code" in error && String(error.code).startsWith("Z_");

/** Behind every file. */
const LAST = "\u{10FFFF}";

const ERASED = "It may have had an event that was erased. Start the export again.";

/** Whether each line of the files says which event it is. */
const namesEvents = ({ format, select }: ExportJob): boolean =>
  format === "ndjson" && (select === undefined || ["id", "source"].every((name) => select.includes(name)));
