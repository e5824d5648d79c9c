import type { HeldJob } from "./held-job.ts";
import type { DeadLetterRow, DeadLetterScope } from "./dead-letter-table.ts";
import type { AllowedEvents, Origin } from "./ports.ts";

/** A replay or a discard of dead letters as a job (decision 0027): its record, and the ports to what it works on. */

export const REPLAY_ID = /^rpl_[0-9a-f]{32}$/;
export const REPLAY_ID_ERROR = "is no id of a replay: rpl_ and 32 characters of 0-9 and a-f";
export const DEAD_LETTER_ID = /^dl_[0-9a-f]{32}$/;
export const DEAD_LETTER_ID_ERROR = "is no id of a dead letter: dl_ and 32 characters of 0-9 and a-f";

export const REPLAY_ACTIONS = ["replay", "discard"] as const;

export const REPLAY_STATES = ["running", "done", "cancelled", "failed"] as const;

export type ReplayState = (typeof REPLAY_STATES)[number];

/** Why a replay failed. Stable; docs/replays.md explains each. */
export const REPLAY_FAILURES = ["key_ended", "tenant_ended", "refused", "not_sent"] as const;

export type ReplayFailure = (typeof REPLAY_FAILURES)[number];

/** The conditions and settings of a job, kept as JSON text. */
export type ReplayRequest = {
  /** The JSON text of the filter, so that its numbers keep their digits. */
  filter?: string;
  ids?: string[];
  reasons?: string[];
  sqlStates?: string[];
  messageGroups?: string[];
  /** When they became open; `from` is in the range and `to` is not. */
  opened?: { from?: string; to?: string };
  /** At most so many events. */
  limit?: number;
  /** Events a second on average. */
  rate?: number;
  /** Only events that were replayed less often. Missing for a discard. */
  maxReplays?: number;
  /** URL of another queue. @default the event queue */
  to?: string;
  /** Why they are discarded. */
  note?: string;
};

export type ReplayJob = {
  id: string;
  action: (typeof REPLAY_ACTIONS)[number];
  tenant: string;
  state: ReplayState;
  request: ReplayRequest;
  keyId: string;
  allowed: AllowedEvents;
  planned: number;
  /** Events that the job has taken, of which `sent` were sent; of a discard those that it discarded. */
  taken: number;
  sent: number;
  stored: number;
  deadLettered: number;
  isCancelling: boolean;
  reason: ReplayFailure | undefined;
  detail: string | undefined;
  createdAt: string;
  progressAt: string;
  finishedAt: string | undefined;
};

/** A dead letter that a step sends. */
export type TakenDeadLetter = {
  id: string;
  /** The number of this replay of it, from 1. */
  number: number;
  tenant: string | undefined;
  body: string;
};

/** An open dead letter that somebody wants to correct. */
export type EditableDeadLetter = {
  id: string;
  tenant: string | undefined;
  source: string | undefined;
  eventId: string | undefined;
  receivedAt: string | undefined;
  origin: Origin | undefined;
  /** As the head of its message has them. */
  traceparent: string | undefined;
  eventTraceparent: string | undefined;
  isEvent: boolean;
};

/** A corrected event: the dead letter, and the body that is sent in place of its own. */
export type ReplayEdit = { id: string; body: string };

export type NewReplay = Pick<ReplayJob, "id" | "action" | "tenant" | "request" | "keyId" | "allowed" | "planned"> & {
  edits: readonly ReplayEdit[];
};

/** The dead letters that a job would take: their number, the oldest, and the time before which all of them became open. */
export type ReplayPlan = { planned: number; until: string; sample: DeadLetterRow[] };

/** The verbs of a job, for requests. Every call may throw a DatabaseError. */
export type ReplayJobs = {
  /** Counts the open dead letters that a job would take now, and shows the oldest of them. */
  plan(scope: DeadLetterScope, request: ReplayRequest, deadline: number): Promise<ReplayPlan>;
  /** The open dead letters of the scope among these ids. */
  findEditable(scope: DeadLetterScope, ids: readonly string[], deadline: number): Promise<EditableDeadLetter[]>;
  /** Writes a job that begins. Done again with the same id, it changes nothing. */
  start(job: NewReplay, deadline: number): Promise<ReplayJob>;
  /** A job of the tenant; INSTALLATION sees the jobs of all tenants. */
  read(tenant: string, id: string, deadline: number): Promise<ReplayJob | undefined>;
  /** The jobs, latest first, without their requests. */
  list(
    tenant: string,
    page: { after: string | undefined; limit: number },
    deadline: number,
  ): Promise<{ items: ReplayJob[]; next: string | undefined }>;
  countUnfinished(tenant: string, deadline: number): Promise<number>;
  /** Asks a running job to end. Undefined where the tenant has no such job. */
  cancel(tenant: string, id: string, deadline: number): Promise<ReplayJob | undefined>;
};

/** `lost`: another step holds the job by now. `cancelled`: somebody has asked the job to end. */
export type Take = { kind: "lost" } | { kind: "cancelled" } | { kind: "taken"; taken: number; isAtEnd: boolean };

/** The work on a job, for its steps. Every call may throw a DatabaseError. */
export type ReplayWork = {
  /** Takes a running job for so many seconds. */
  hold(id: string, holder: string, seconds: number, deadline: number): Promise<HeldJob<ReplayJob>>;
  /** Takes the next open dead letters of the job's set, at most so many. Those of a discard are discarded then. */
  take(job: ReplayJob, by: { holder: string; most: number }, deadline: number): Promise<Take>;
  /** A page of the dead letters that were taken and not marked, by id, behind an id; empty where there are none. */
  readUnsent(id: string, after: string | undefined, deadline: number): Promise<TakenDeadLetter[]>;
  /** Writes that dead letters of a job were sent. */
  markSent(id: string, deadLetterIds: readonly string[], deadline: number): Promise<void>;
  /** Gives the job to the next step. */
  release(id: string, holder: string, deadline: number): Promise<void>;
  /**
   * Ends a job. With `givesBack`, what was taken and not sent is open again.
   * Without it nothing of that may be left: then the job stays as it is.
   */
  end(
    id: string,
    end: { state: ReplayState; reason?: ReplayFailure; detail?: string; givesBack?: boolean },
    deadline: number,
  ): Promise<ReplayJob>;
  /** The open dead letters of all tenants, counted up to a limit: for the metric that has the alarm. */
  countOpen(deadline: number): Promise<number>;
  /** Finds out what became of sent events. Returns the job, and how many events have no outcome yet. */
  settle(id: string, deadline: number): Promise<{ job: ReplayJob; unsettled: number } | undefined>;
};

/** The message of a step. */
export type ReplayStep = {
  id: string;
  /** Failed attempts in a row. */
  attempts?: number | undefined;
  /** Looks for outcomes so far; missing for a step that works on the job. */
  looks?: number | undefined;
};

/** Sends the messages of steps. Never throws. */
export type ReplaySteps = {
  /** Returns whether the queue confirmed it. */
  send(step: ReplayStep, delaySeconds: number, deadline: number): Promise<boolean>;
};

export const isFinished = ({ state }: Pick<ReplayJob, "state">): boolean => state !== "running";
