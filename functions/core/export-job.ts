import * as z from "zod/mini";
import type { Page, PageRequest } from "./access.ts";

/**
 * An export of events as a job: its record, and the ports to where jobs, their files and the messages of their steps are.
 */

export const EXPORT_FORMATS = ["ndjson", "csv"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_STATES = ["queued", "running", "done", "cancelled", "failed"] as const;

/** Why an export failed. Stable; docs/exports.md explains each. */
export const EXPORT_FAILURES = [
  "key_ended",
  "tenant_ended",
  "too_large",
  "no_progress",
  "crashed",
  "refused",
  "position_lost",
  "erased",
] as const;

export type ExportFailure = (typeof EXPORT_FAILURES)[number];

const instant = z.iso.datetime();
const count = z.int().check(z.nonnegative());

/** A file of an export. */
export const exportPart = z.object({
  /** The name of the file, for example `part-00001-7.ndjson.gz`. */
  name: z.string(),
  /** Events in it. */
  rows: count,
  /** Its size, compressed. */
  bytes: count,
  /** Of the file as it is, in hex. */
  sha256: z.string(),
});

export type ExportPart = z.output<typeof exportPart>;

export const exportJob = z.object({
  tenant: z.string(),
  /** For example `exp_01978d5c0f3a7c0c8f1d2b3a4c5d6e7f`. */
  id: z.string(),
  state: z.enum(EXPORT_STATES),
  format: z.enum(EXPORT_FORMATS),
  /** The JSON text of the filter, so that its numbers keep their digits. */
  filter: z.optional(z.string()),
  from: z.optional(z.string()),
  to: z.optional(z.string()),
  select: z.optional(z.array(z.string())),
  /** The id of the key that started it. The job ends when the key does. */
  keyId: z.string(),
  /** Types and sources that the key could read at the start. */
  types: z.optional(z.array(z.string())),
  sources: z.optional(z.array(z.string())),
  createdAt: instant,
  /** The last time a step wrote a part or came further. */
  progressAt: instant,
  finishedAt: z.optional(instant),
  /** The set of events: those that were stored when the first page was read. */
  horizon: z.optional(z.string()),
  /** The position at which the next step goes on. */
  cursor: z.optional(z.string()),
  rows: count,
  /** Rows that were read, also those that did not match. */
  scanned: count,
  /** Of all parts, compressed. */
  bytes: count,
  parts: z.array(exportPart),
  /** The name of the file that lists all parts. */
  manifest: z.optional(z.string()),
  /** A step works until then at the latest. */
  leaseUntil: z.optional(instant),
  /** The id of that step's message. */
  leaseBy: z.optional(z.string()),
  /** Failed attempts of the present step. */
  attempts: count,
  /** When an erasure took its files away, because they may have had one of its events. */
  erasedAt: z.optional(instant),
  reason: z.optional(z.enum(EXPORT_FAILURES)),
  detail: z.optional(z.string()),
  /** Changes with every write. */
  version: z.int().check(z.positive()),
});

export type ExportJob = z.output<typeof exportJob>;

/** The start of an export under an idempotency key. */
export const exportStart = z.object({
  tenant: z.string(),
  /** Stands for the key. Its beginning, `start_`, keeps it apart from jobs. */
  id: z.string(),
  /** The id of the job. */
  job: z.string(),
  /** Stands for the request: the same for equal ones. */
  request: z.string(),
  startedAt: instant,
});

export type ExportStart = z.output<typeof exportStart>;

/** The id of an export. Jobs of another kind begin otherwise. */
export const EXPORT_ID = /^exp_[0-9a-f]{32}$/;
export const EXPORT_ID_ERROR = "is no id of an export: exp_ and 32 characters of 0-9 and a-f";

export const isFinished = ({ state }: Pick<ExportJob, "state">): boolean => state !== "queued" && state !== "running";

/** The beginning of the keys of an export's files in the bucket. */
export const exportFolder = ({ tenant, id }: Pick<ExportJob, "tenant" | "id">): string => `exports/${tenant}/${id}/`;

/** The store of jobs. Every call may throw an AccessError. */
export type ExportJobs = {
  /** Returns false where the id is taken already. */
  create(job: ExportJob): Promise<boolean>;
  /** The job as it is now: a read after a change sees the change. */
  read(tenant: string, id: string): Promise<ExportJob | undefined>;
  /**
   * Writes a job in place of the one with this version, under the next one. Undefined where it has another version by now:
   * somebody else has changed it, and nothing is written.
   */
  replace(job: ExportJob): Promise<ExportJob | undefined>;
  /**
   * Keeps a start under its id for IDEMPOTENCY_HOURS, unless there is one. Returns the start that is kept: this one, or
   * the one before it. Of several at once, one is kept.
   */
  keepStart(start: ExportStart): Promise<ExportStart>;
  /** The jobs of a tenant, latest first, without their parts. */
  list(tenant: string, page: PageRequest): Promise<Page<ExportJob>>;
};

/** The store of the files of exports. Every call but `link` may throw a FilesError. */
export type ExportFiles = {
  /** Begins a file, which is there when it is completed and not before. Another of the same key is overwritten. */
  upload(key: string, contentType: string): FileUpload;
  /** An address from which anybody can download a file for some minutes. It does not tell whether there is one. */
  link(key: string, seconds: number): Promise<string>;
};

export type FileUpload = {
  write(bytes: Uint8Array): Promise<void>;
  complete(): Promise<void>;
  /** Forgets what was uploaded. Never throws. */
  abort(): Promise<void>;
};

/** The files of exports for an erasure. Every call may throw a FilesError. */
export type ErasableFiles = {
  /** The keys that begin so, in their order. */
  list(prefix: string): AsyncIterable<string>;
  /** The bytes of a file as they come; undefined where there is none. */
  read(key: string, abort: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Deletes a file; one that is not there stays so. */
  delete(key: string): Promise<void>;
};

/** A call of S3 that failed, or was not answered in time. */
export class FilesError extends Error {
  override readonly name = "FilesError";
}

/** The message of a step. */
export type ExportStep = { tenant: string; id: string };

/** Sends the messages of steps. Never throws. */
export type ExportSteps = {
  /** Returns whether the queue confirmed it. */
  send(step: ExportStep, delaySeconds: number, deadline: number): Promise<boolean>;
};
