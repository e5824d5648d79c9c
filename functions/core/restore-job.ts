import type { HeldJob } from "./held-job.ts";
import type { RetentionDays } from "./retention.ts";

/** A restore of archived events as a job (decision 0035): its record, and the ports to what it works on. */

export const RESTORE_ID = /^rst_[0-9a-f]{32}$/;
export const RESTORE_ID_ERROR = "is no id of a restore: rst_ and 32 characters of 0-9 and a-f";

export const RESTORE_STATES = ["running", "done", "cancelled", "failed"] as const;

export type RestoreState = (typeof RESTORE_STATES)[number];

/** `live`: among the events that lists and reads give. `beside`: in a table of its own. */
export const RESTORE_TARGETS = ["live", "beside"] as const;

export type RestoreTarget = (typeof RESTORE_TARGETS)[number];

/** Why a restore failed. Stable; docs/archive.md explains each. */
export const RESTORE_FAILURES = ["key_ended", "tenant_ended", "archive_changed", "refused"] as const;

export type RestoreFailure = (typeof RESTORE_FAILURES)[number];

/** The request of a job, kept as JSON text. */
type RestoreRequest = {
  manifests?: string[] | undefined;
  /** UTC days of the receipt; both are in it. */
  from?: string | undefined;
  to?: string | undefined;
  /** The JSON text of the filter, so that its numbers keep their digits. */
  filter?: string | undefined;
};

export type RestoreJob = {
  id: string;
  tenant: string;
  state: RestoreState;
  into: RestoreTarget;
  /** The class of restored events; undefined beside. */
  retention: RetentionDays | undefined;
  request: RestoreRequest;
  /** Key and SHA-256 of each manifest, in the order in which they are read. */
  manifests: [key: string, sha256: string][];
  keyId: string;
  /** Events in the manifests. */
  planned: number;
  /** The place to go on at, from 0. */
  manifestAt: number;
  partAt: number;
  lineAt: number;
  read: number;
  matched: number;
  restored: number;
  /** Events that were there already, equal. */
  present: number;
  /** Events whose key is stored with other content. */
  conflicts: number;
  /** Events that the database refuses. */
  refused: number;
  isCancelling: boolean;
  reason: RestoreFailure | undefined;
  detail: string | undefined;
  createdAt: string;
  progressAt: string;
  finishedAt: string | undefined;
  /** When the table beside the live events was dropped. */
  droppedAt: string | undefined;
};

export type NewRestore = Pick<
  RestoreJob,
  "id" | "tenant" | "into" | "retention" | "request" | "manifests" | "keyId" | "planned"
>;

/** The verbs of a job, for requests. Every call may throw a DatabaseError. */
export type RestoreJobs = {
  /** The SHA-256 of the manifests that this database has written, by key. */
  knownManifests(tenant: string, keys: readonly string[], deadline: number): Promise<Map<string, string>>;
  /** Writes a job that begins. Done again with the same id, it changes nothing. */
  start(job: NewRestore, deadline: number): Promise<RestoreJob>;
  read(tenant: string, id: string, deadline: number): Promise<RestoreJob | undefined>;
  /** The jobs, latest first, without their requests and manifests. */
  list(
    tenant: string,
    page: { after: string | undefined; limit: number },
    deadline: number,
  ): Promise<{ items: RestoreJob[]; next: string | undefined }>;
  countUnfinished(tenant: string, deadline: number): Promise<number>;
  /** Asks a running job to end. Undefined where the tenant has no such job. */
  cancel(tenant: string, id: string, deadline: number): Promise<RestoreJob | undefined>;
  /** Drops the tables of restores that ended before a time; returns their number. */
  dropEnded(before: string, deadline: number): Promise<number>;
  /** Events of a restore beside the live ones, in the order of their receipt, as CloudEvents JSON texts. */
  readEvents(
    job: Pick<RestoreJob, "tenant" | "id">,
    page: { after: string | undefined; limit: number },
    deadline: number,
  ): Promise<{ events: string[]; next: string | undefined }>;
};

/** Lines of the archive, and the place behind them. */
type RestoreChunk = {
  lines: string[];
  /** Events that were read for it, also those that do not match. */
  read: number;
  next: RestorePlace;
  /** Why the one event that was read is left out: the database refuses it. */
  refused?: string | undefined;
};

export type RestorePlace = Pick<RestoreJob, "manifestAt" | "partAt" | "lineAt">;

/** The work on a job, for its steps. Every call may throw a DatabaseError. */
export type RestoreWork = {
  /** Takes a running job for so many seconds. */
  hold(id: string, holder: string, seconds: number, deadline: number): Promise<HeldJob<RestoreJob>>;
  /** Makes the tables of a day, which was dropped. */
  ensureDay(retention: RetentionDays, day: string, deadline: number): Promise<void>;
  /**
   * Stores the events of a chunk, counts them, and moves the place, all or none. Undefined where another step holds the job;
   * nothing is stored where somebody has asked the job to end. The job that it returns has neither its request nor its manifests.
   */
  store(id: string, holder: string, chunk: RestoreChunk, deadline: number): Promise<RestoreJob | undefined>;
  release(id: string, holder: string, deadline: number): Promise<void>;
  /** Ends a job. Undefined where another step holds it. */
  end(
    id: string,
    holder: string,
    end: { state: RestoreState; reason?: RestoreFailure | undefined; detail?: string | undefined },
    deadline: number,
  ): Promise<RestoreJob | undefined>;
};

/** The message of a step. */
export type RestoreStep = {
  restore: string;
  /** Failed attempts in a row. */
  attempts?: number | undefined;
};

/** Sends the messages of steps. Never throws. */
export type RestoreSteps = {
  /** Returns whether the queue confirmed it. */
  send(step: RestoreStep, delaySeconds: number, deadline: number): Promise<boolean>;
};

export const isFinished = ({ state }: Pick<RestoreJob, "state">): boolean => state !== "running";
