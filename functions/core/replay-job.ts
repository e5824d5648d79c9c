import type { AllowedEvents } from "./ports.ts";

/** A replay or a discard of dead letters as a job (decision 0027): its record, and the ports to what it works on. */

export const REPLAY_ID = /^rpl_[0-9a-f]{32}$/;
export const DEAD_LETTER_ID = /^dl_[0-9a-f]{32}$/;

export const REPLAY_STATES = ["running", "done", "cancelled", "failed"] as const;

export type ReplayState = (typeof REPLAY_STATES)[number];

/** The request of a job, kept in it as JSON text. */
export type ReplayRequest = {
  /** The JSON text of the filter, so that its numbers keep their digits. */
  filter?: string;
  ids?: string[];
  reasons?: string[];
  sqlStates?: string[];
  messageGroups?: string[];
  opened?: { from?: string; to?: string };
  /** At most so many events. */
  limit?: number;
  /** Events a second on average. */
  rate?: number;
  /** Only events that were replayed less often. */
  maxReplays: number;
  /** URL of another queue. @default the event queue */
  to?: string;
  /** Why they are discarded. */
  note?: string;
};

export type ReplayJob = {
  id: string;
  action: "replay" | "discard";
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
  reason: string | undefined;
  detail: string | undefined;
  createdAt: string;
  progressAt: string;
  finishedAt: string | undefined;
  attempts: number;
};

/** A dead letter that a step sends. */
export type TakenDeadLetter = {
  id: string;
  /** The number of this replay of it, from 1. */
  number: number;
  tenant: string | undefined;
  body: string;
};
