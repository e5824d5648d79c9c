import type { Filter } from "./filter/filter.ts";
import type { AllowedEvents } from "./ports.ts";

/** Dead letters as rows of the database (decision 0027): the ports of drain, query and replay to them. */

export const DEAD_LETTER_STATES = ["open", "replayed", "discarded"] as const;

export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];

/** A dead letter to be recorded. */
export type NewDeadLetter = {
  /** The message of SQS it came in, and its index among the message's events. */
  messageId: string;
  messageIndex: number;
  /** The row that a replay has sent; the dead letter opens it again. */
  deadLetterId: string | undefined;
  tenant: string | undefined;
  type: string | undefined;
  source: string | undefined;
  eventId: string | undefined;
  receivedAt: string | undefined;
  reason: string;
  sqlState: string | undefined;
  /** The cause in the database's words, and the same without ids, numbers and quoted texts. */
  message: string;
  messageGroup: string;
  attempts: number;
  /** Replays so far: the number of the replay that failed. */
  replays: number;
  /** Whether the body is a queue message with one event that can be read as JSON. */
  isEvent: boolean;
  /** The body of a queue message that can be sent again as it is. */
  body: string;
};

/** The port of drain. */
export type DeadLetterStore = {
  /**
   * Records dead letters in one statement; those that are recorded already stay as they are. Returns how many were new or
   * opened again, and how many are open by now, counted up to a limit.
   * @throws DatabaseError; then nothing is recorded, unless only the answer was lost
   */
  record(deadLetters: readonly NewDeadLetter[], deadline: number): Promise<{ recorded: number; open: number }>;
};

/** The dead letters of a tenant; of INSTALLATION those of every tenant and of none. */
export type DeadLetterScope = { tenant: string; allowed: AllowedEvents };

/** Which dead letters are meant. All given conditions hold. */
export type DeadLetterSelection = {
  filter: Filter | undefined;
  ids: readonly string[] | undefined;
  reasons: readonly string[] | undefined;
  sqlStates: readonly string[] | undefined;
  /** Messages without their ids, numbers and quoted texts, as the groups have them. */
  messageGroups: readonly string[] | undefined;
  states: readonly DeadLetterState[] | undefined;
  /** When it became open the last time; `from` is in the range and `to` is not. RFC 3339. */
  opened: { from: string | undefined; to: string | undefined };
};

/** A dead letter as the API shows it in a list. */
export type DeadLetterRow = {
  id: string;
  reason: string;
  sqlState: string | null;
  message: string;
  tenant: string | null;
  type: string | null;
  source: string | null;
  eventId: string | null;
  receivedAt: string | null;
  openedAt: string;
  state: DeadLetterState;
  attempts: number;
  replays: number;
};

/** Of one replay of a dead letter. */
export type DeadLetterReplay = {
  number: number;
  replayId: string;
  takenAt: string;
  sentAt: string | null;
  outcome: "stored" | "dead_lettered" | null;
  reason: string | null;
  sqlState: string | null;
  message: string | null;
};

export type DeadLetterGroup = {
  reason: string;
  sqlState: string | null;
  /** Without ids, numbers and quoted texts. */
  message: string;
  count: number;
  /** Of all dead letters of the selection, from 0 to 1. */
  share: number;
  firstSeen: string;
  lastSeen: string;
  types: string[];
  /** The newest of them. */
  sample: DeadLetterRow;
};

/** The port of query; everything is of the scope alone. */
export type DeadLetterReader = {
  /** Newest first, after a position. @throws DatabaseError */
  list(
    scope: DeadLetterScope,
    selection: DeadLetterSelection,
    page: { after: readonly [openedAt: string, id: string] | undefined; limit: number },
    deadline: number,
  ): Promise<{ rows: DeadLetterRow[]; hasMore: boolean }>;
  groups(
    scope: DeadLetterScope,
    selection: DeadLetterSelection,
    limit: number,
    deadline: number,
  ): Promise<DeadLetterGroup[]>;
  read(
    scope: DeadLetterScope,
    id: string,
    deadline: number,
  ): Promise<(DeadLetterRow & { body: string; isEvent: boolean; history: DeadLetterReplay[] }) | undefined>;
};

/** The ledger of a tenant or of the installation, in events. `replayed`: sent by a replay, and neither stored nor back yet. */
export type Ledger = { stored: number; open: number; replayed: number; discarded: number };
