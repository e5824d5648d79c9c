import type { DatabaseError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { OutgoingMessage, ReceivedMessage } from "./queue-message.ts";
import type { RetentionDays } from "./retention.ts";

/**
 * The ports of the functions to the world outside, which adapters implement. Queues, received messages, event store and
 * event reader have a fake in memory, which passes the same tests as the adapter (test/support/conformance).
 */

export type Clock = () => Date;

/** A text for browsers, which may cache it without end because `version` changes with the text. */
export type Asset = { text: string; version: string };

/** Returns a file of a page by its name, compressed by gzip, and undefined for any other name. */
export type PageFiles = (name: string) => Uint8Array | undefined;

/** `enqueued`: SQS confirmed the message. `failed`: it did not, and may have the message all the same. */
export type SendOutcome = "enqueued" | "failed";

export type EventQueue = {
  /**
   * Enqueues messages, retrying what SQS did not confirm until `deadline` (ms since the epoch). Returns one outcome per
   * message in order. Never throws.
   */
  send(messages: OutgoingMessage[], deadline: number): Promise<SendOutcome[]>;
};

export type DeadLetterQueue = {
  /** Enqueues dead letters. Returns one outcome per dead letter in order. Never throws. */
  send(deadLetters: DeadLetter[], deadline: number): Promise<SendOutcome[]>;
};

/** The messages that a function received from its queue. None of the calls throws. */
export type ReceivedMessages<Message = ReceivedMessage> = {
  /** Deletes messages. Returns whether SQS confirmed each deletion. */
  delete(messages: readonly Pick<ReceivedMessage, "receiptHandle">[], deadline: number): Promise<boolean>;
  /** Lets SQS deliver messages again after the given seconds; where it fails, after the queue's visibility timeout. */
  changeVisibility(
    messages: readonly (Pick<ReceivedMessage, "receiptHandle"> & { seconds: number })[],
    deadline: number,
  ): Promise<void>;
  /**
   * Sends messages to their queue as new ones, which are delivered after the given seconds, and deletes the old ones.
   * Returns the ids of the messages whose copy SQS confirmed; the others are in the queue as before.
   */
  requeue(messages: readonly (Message & { seconds: number })[], deadline: number): Promise<Set<string>>;
};

/** The process of ingest that accepted an event, and the event's number there. Each event of a tenant has its own. */
export type Origin = { producer: string; sequence: number };

/** An event with what ingest added. `origin` is undefined in a message that somebody else wrote. */
export type StorableEvent = {
  tenant: string;
  receivedAt: string;
  /** The class, in days. @default that of the stage */
  retention?: RetentionDays | undefined;
  event: Event;
  origin?: Origin | undefined;
};

export type EventStore = {
  /**
   * Stores in one statement each event that can be stored, and counts it in the ledger. An event whose (tenant, source, id) is
   * stored already is left alone, also when its first copy is in the same list.
   * @throws DatabaseError when the statement as a whole fails: nothing of it is stored, unless only its answer was lost
   */
  store(events: StorableEvent[], deadline: number): Promise<StoreOutcome>;
  /** Collects events, in order, into chunks: the events of one call. */
  createChunker<T extends StorableEvent>(): Chunker<T>;
};

export type Chunker<T> = {
  /** Adds an event. Returns the chunk before it where the event does not fit into that one any more. */
  add(event: T): T[] | undefined;
  /** The events since the last chunk; none where there were no events. */
  rest(): T[];
};

export type StoreOutcome = {
  /** Number of events that were new. */
  stored: number;
  /** Indexes of the events whose key is stored with other content; all but the times and the trace is compared. */
  conflicts: number[];
  /** Number of events that an erasure keeps out. */
  erased: number;
  /** Events that the database refuses for their content: their index, and what the database says. */
  refused: { index: number; error: DatabaseError }[];
};

export type EventReader = {
  /**
   * Finds one event, as CloudEvents JSON text. Without `source`, an id that several sources used is `ambiguous`. Events of
   * other types and sources than the allowed ones are as absent ones.
   * @throws DatabaseError
   */
  find(
    key: { tenant: string; id: string; source: string | undefined; allowed?: AllowedEvents },
    deadline: number,
  ): Promise<FoundEvent>;
};

/** Patterns of types and sources (patterns.ts). @default every one */
export type AllowedEvents = { types: readonly string[] | undefined; sources: readonly string[] | undefined };

export type FoundEvent =
  | { kind: "found"; json: string }
  | { kind: "absent" }
  /** More than one source used the id; at most 20 are named. */
  | { kind: "ambiguous"; sources: string[] };

/** An event that could not be stored, or a whole message that could not be read. */
export type DeadLetter = {
  /** A message body that can be sent to the event queue again as it is. */
  body: string;
  /** Stable reason code, for example `not_storable` or `unreadable_message`. */
  reason: string;
  sqlState: string | undefined;
  /** The cause in the database's words. */
  detail: string;
  tenant: string | undefined;
  type: string | undefined;
  source: string | undefined;
  id: string | undefined;
  receivedAt: string | undefined;
  /** Times the consumer tried the message, the last time included. */
  attempts: number;
  /** Times the event was replayed from the dead-letter queue. */
  replays: number;
  /** The row that the last replay sent (decision 0027). */
  deadLetterId: string | undefined;
};

/** A file of functions/sql; its name is for example `0001_events.sql`. */
export type Migration = { name: string; sql: string };

/** One value of a result row. */
export type SqlValue = string | number | boolean | null;

/** Runs one statement. Parameters are named and all text, so the SQL casts them. @throws DatabaseError */
export type ExecuteSql = (
  sql: string,
  parameters: Record<string, string | null>,
  deadline: number,
) => Promise<{ rows: SqlValue[][]; updated: number }>;

export type SqlDatabase = {
  execute: ExecuteSql;
  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it throws.
   * @throws DatabaseError, or what `work` threw
   */
  transaction<T>(work: (execute: ExecuteSql) => Promise<T>, deadline: number): Promise<T>;
};
