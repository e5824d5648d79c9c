import type { HeldJob } from "./held-job.ts";
import type { ErasureCandidate, ErasureObjectCounts } from "./erasure-objects.ts";

/** An erasure as a job (decision 0036): its record, and the ports to what it works on. */

export const ERASURE_ID = /^ers_[0-9a-f]{32}$/;
export const ERASURE_ID_ERROR = "is no id of an erasure: ers_ and 32 characters of 0-9 and a-f";

/** `waiting`: it can be cancelled. */
export const ERASURE_STATES = ["waiting", "running", "done", "cancelled", "failed"] as const;

export type ErasureState = (typeof ERASURE_STATES)[number];

/** The places in their order; in each the work goes on where it was. */
export const ERASURE_PLACES = ["rows", "dead_letters", "objects", "deliveries", "rollups", "end"] as const;

type ErasurePlace = (typeof ERASURE_PLACES)[number];

/** For how long events are refused that are accepted after the erasure has begun. */
export const ERASURE_SUPPRESSIONS = ["none", "30d", "forever"] as const;

export type ErasureSuppression = (typeof ERASURE_SUPPRESSIONS)[number];

/** Why an erasure failed. Stable; docs/erasure.md explains each. */
export const ERASURE_FAILURES = ["on_hold", "archive_changed", "key_ended", "tenant_ended"] as const;

export type ErasureFailure = (typeof ERASURE_FAILURES)[number];

export const ERASURE_SELECTIONS = ["subject", "ids", "filter"] as const;

/** The events of an erasure. An id without a source is that of every source; `filter` is JSON text, so that its numbers keep their digits. */
export type ErasureSelection =
  | { by: "subject"; subject: string }
  | { by: "ids"; ids: readonly ErasureKey[] }
  | { by: "filter"; filter: string };

type ErasureKey = { id: string; source?: string | undefined };

/** Counts of what an erasure finds in the database. `isComplete` is false where the time was too short to count everything. */
type ErasureFound = {
  events: number;
  /** Copies of events that a restore has brought back beside the live ones. */
  restored: number;
  deadLetters: number;
  deliveries: number;
  isComplete: boolean;
};

export type ErasurePlan = ErasureFound & ErasureObjectCounts;

/** Counts of what was erased, by place. Places of which nothing was erased may be missing. */
export type ErasureCounts = Partial<
  Record<"events" | "restored" | "deadLetters" | "deliveries" | "attempts" | "keys" | "rollups", number> &
    ErasureObjectCounts
>;

export type ErasureJob = {
  id: string;
  tenant: string;
  state: ErasureState;
  by: ErasureSelection["by"];
  /** The selection by a subject or a filter; undefined for ids, and when the job has ended. */
  request: { subject: string } | { filter: string } | undefined;
  /** HMAC of the request, in hexadecimal. */
  requestHash: string;
  /** The reason of whoever asked for it. */
  why: string;
  suppress: ErasureSuppression | undefined;
  keyId: string;
  planned: ErasurePlan;
  place: ErasurePlace;
  /** The place waits for transactions that had begun: not known yet for which, or they have ended. */
  needsBarrier: boolean;
  isSettled: boolean;
  /** Of the place among the objects. */
  cursor: string | undefined;
  counts: ErasureCounts;
  horizonBefore: string | undefined;
  horizonAfter: string | undefined;
  eventsSha256: string | undefined;
  reason: ErasureFailure | undefined;
  detail: string | undefined;
  createdAt: string;
  startedAt: string | undefined;
  progressAt: string;
  finishedAt: string | undefined;
};

export type NewErasure = Pick<ErasureJob, "id" | "tenant" | "why" | "suppress" | "keyId" | "planned"> & {
  selection: ErasureSelection;
};

/** The verbs of a job, for requests. Every call may throw a DatabaseError. */
export type ErasureJobs = {
  /** Counts what a selection has, and names the first hold that has one of its events. */
  plan(
    tenant: string,
    selection: ErasureSelection,
    milliseconds: number,
    deadline: number,
  ): Promise<ErasureFound & { holdId: string | undefined }>;
  /** Writes a job that waits. Done again with the same id, it changes nothing. */
  start(job: NewErasure, deadline: number): Promise<ErasureJob>;
  read(tenant: string, id: string, deadline: number): Promise<ErasureJob | undefined>;
  /** The jobs, latest first. */
  list(
    tenant: string,
    page: { after: string | undefined; limit: number },
    deadline: number,
  ): Promise<{ items: ErasureJob[]; next: string | undefined }>;
  countUnfinished(tenant: string, deadline: number): Promise<number>;
  /** Ends a job that waits, and returns it as it is. Undefined where the tenant has no such job. */
  cancel(tenant: string, id: string, deadline: number): Promise<ErasureJob | undefined>;
  /** Drops rules of filters that nothing can match any more, and what jobs have found that failed 30 days ago. */
  dropRules(deadline: number): Promise<void>;
};

/** `held`: a legal hold has one of the events, so nothing was erased. `superseded`: another step has the job. */
type Erased = { kind: "erased"; job: ErasureJob } | { kind: "held"; holdId: string } | { kind: "superseded" };

/** A legal hold in force. */
export type ErasureHoldFilter = { id: string; filter: string | undefined };

/** The work on a job, for its steps. Every call may throw a DatabaseError. */
export type ErasureWork = {
  /** Takes a job that waits or runs for so many seconds. */
  hold(id: string, holder: string, seconds: number, deadline: number): Promise<HeldJob<ErasureJob>>;
  /** Starts it: from now on nothing that it means is stored. Undefined where another step holds it, as below. */
  begin(job: ErasureJob, holder: string, deadline: number): Promise<ErasureJob | undefined>;
  /** Makes the place wait for the transactions that have begun. */
  raiseBarrier(job: ErasureJob, holder: string, deadline: number): Promise<ErasureJob | undefined>;
  /** Erases some rows, dead letters and deliveries, with all that belongs to each, and notes it, all or none. */
  eraseRows(job: ErasureJob, holder: string, deadline: number): Promise<Erased>;
  eraseDeadLetters(job: ErasureJob, holder: string, deadline: number): Promise<Erased>;
  eraseDeliveries(job: ErasureJob, holder: string, deadline: number): Promise<Erased>;
  countOpenDeadLetters(deadline: number): Promise<number>;
  /** The holds of the tenant. */
  holds(tenant: string, deadline: number): Promise<ErasureHoldFilter[]>;
  /**
   * The places of the candidates that are erased, in their list; those that are wanted are, and those that were found elsewhere. It
   * notes their keys. `holds` are those that `heldBy` was looked for in.
   */
  match(
    job: ErasureJob,
    holder: string,
    candidates: readonly (ErasureCandidate & { isWanted: boolean; heldBy?: string | undefined })[],
    holds: readonly ErasureHoldFilter[],
    deadline: number,
  ): Promise<
    | { kind: "matched"; places: number[] }
    | { kind: "held"; holdId: string }
    | { kind: "holds_changed" }
    | { kind: "superseded" }
  >;
  /** Notes lines of the archive that are erased, and takes those out of the rollups that no table had. */
  noteArchived(job: ErasureJob, holder: string, lines: readonly string[], deadline: number): Promise<void>;
  /** Counts objects, and moves the place among them; without a cursor they are done. */
  noteObjects(
    job: ErasureJob,
    holder: string,
    page: { counts: ErasureObjectCounts; cursor: string | undefined },
    deadline: number,
  ): Promise<ErasureJob | undefined>;
  /** Corrects the rollups of which events were erased. */
  eraseRollups(job: ErasureJob, holder: string, deadline: number): Promise<ErasureJob | undefined>;
  release(id: string, holder: string, deadline: number): Promise<void>;
  /** Ends a job, and deletes what it knows of its events; of a failed one that stays for a repetition of its request. */
  end(
    job: ErasureJob,
    holder: string,
    end: { state: "done" } | { state: "failed"; reason: ErasureFailure; detail: string },
    deadline: number,
  ): Promise<ErasureJob | undefined>;
};

/** The message of a step. */
export type ErasureStep = {
  erasure: string;
  /** Failed attempts in a row. */
  attempts?: number | undefined;
};

/** Sends the messages of steps. Never throws. */
export type ErasureSteps = {
  /** Returns whether the queue confirmed it. */
  send(step: ErasureStep, delaySeconds: number, deadline: number): Promise<boolean>;
};
