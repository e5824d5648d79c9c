import type { Filter } from "./filter/filter.ts";
import type { Event } from "./event.ts";
import type { AllowedEvents, Chunker, Origin } from "./ports.ts";

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
  /** The number of the event; undefined for a whole message. */
  origin: Origin | undefined;
  /** The attributes of an event that can be read, which only filters read; its data is in the body. */
  searched: Pick<Event, "subject" | "time" | "dataschema" | "datacontenttype"> | undefined;
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
   * opened again.
   * @throws DatabaseError; then nothing is recorded, unless only the answer was lost
   */
  record(deadLetters: readonly NewDeadLetter[], deadline: number): Promise<{ recorded: number }>;
  /** Counts the open dead letters of all tenants, up to OPEN_DEAD_LETTERS_MAX. @throws DatabaseError */
  countOpen(deadline: number): Promise<number>;
  /** Collects dead letters, in order, into chunks: those of one call. */
  createChunker<T extends NewDeadLetter>(): Chunker<T>;
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

/** A dead letter whole. */
export type ReadDeadLetter = DeadLetterRow & {
  /** Whether the body is a queue message with one event. */
  isEvent: boolean;
  body: string;
  /** Its last replays, oldest first. */
  history: DeadLetterReplay[];
};

/** The place of a dead letter in a list. */
export type DeadLetterPosition = readonly [openedAt: string, id: string];

/** The port of query; everything is of the scope alone. */
export type DeadLetterReader = {
  /**
   * Lists dead letters, the last ones that became open first, after a position. `next` is the position to go on from; undefined at the end. A page may
   * have fewer rows than its limit, or none, where its time or its bytes are over. @throws DatabaseError
   */
  list(
    scope: DeadLetterScope,
    selection: DeadLetterSelection,
    page: { after: DeadLetterPosition | undefined; limit: number; budgetMs: number },
    deadline: number,
  ): Promise<{ rows: DeadLetterRow[]; next: DeadLetterPosition | undefined }>;
  /** The largest first. @throws DatabaseError */
  groups(scope: DeadLetterScope, selection: DeadLetterSelection, deadline: number): Promise<DeadLetterGroup[]>;
  /** @throws DatabaseError */
  read(scope: DeadLetterScope, id: string, deadline: number): Promise<ReadDeadLetter | undefined>;
  /** The latest open or replayed dead letter of an event. @throws DatabaseError */
  find(
    scope: DeadLetterScope,
    event: { id: string; source: string | undefined },
    deadline: number,
  ): Promise<FoundDeadLetter | undefined>;
};

type FoundDeadLetter = { id: string; state: DeadLetterState; reason: string; message: string };
