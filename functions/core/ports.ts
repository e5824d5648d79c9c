import type { DatabaseError } from "./errors.ts";
import type { Event } from "./event.ts";

/** What the stages need of the world outside. Adapters implement these; tests use the real ones or fakes of the same contract. */

export type Clock = () => Date;

export type EventQueue = {
  /**
   * Stores messages in the queue, retrying what it did not confirm until `deadline` (ms since the epoch).
   * Answers one outcome per message in order; `failed` means the queue did not confirm it. Never throws.
   */
  send(messages: OutgoingMessage[], deadline: number): Promise<("stored" | "failed")[]>;
};

export type OutgoingMessage = {
  body: string;
  /** The tenant: SQS serves groups fairly, so one tenant's flood does not delay the others. */
  group: string;
};

/** One event with what the door added, as it is written. */
export type StorableEvent = { tenant: string; receivedAt: string; event: Event };

export type EventStore = {
  /**
   * Stores in one statement each event that can be stored. One whose (tenant, source, id) is stored already is left
   * alone, also when the first copy stands in the same list.
   * @throws DatabaseError when the statement as a whole fails: nothing of it is stored, unless only its answer was lost
   */
  store(events: StorableEvent[], deadline: number): Promise<StoreOutcome>;
  /** Cuts events, in order, into lists that one call takes, each as it is asked for. */
  chunks<T extends StorableEvent>(events: Iterable<T>): Iterable<T[]>;
};

export type StoreOutcome = {
  /** How many were new. */
  stored: number;
  /** Places in the list of events whose key is stored with another content; all but the times is compared. */
  conflicts: number[];
  /** Events that the database refuses for what they are. */
  refused: RefusedEvent[];
};

/** An event's place in the list and what the database said. */
type RefusedEvent = { index: number; error: DatabaseError };

/** Removes received messages from their queue; answers whether SQS confirmed all of it. Never throws. */
export type Acknowledge = (messages: { receiptHandle: string }[], deadline: number) => Promise<boolean>;

/** Lets received messages come back after the given seconds. Never throws. */
export type Postpone = (messages: { receiptHandle: string; seconds: number }[], deadline: number) => Promise<unknown>;

export type EventReader = {
  /**
   * The event as CloudEvents JSON text, without `source` only where one source used this id.
   * @throws DatabaseError
   */
  find(key: { tenant: string; id: string; source: string | undefined }, deadline: number): Promise<FoundEvent>;
};

export type FoundEvent =
  | { kind: "found"; json: string }
  | { kind: "absent" }
  /** More than one source used the id; at most 20 are named. */
  | { kind: "ambiguous"; sources: string[] };

export type DeadLetterQueue = {
  /** Stores dead letters; answers one outcome per letter in order. Never throws. */
  send(letters: DeadLetter[], deadline: number): Promise<("stored" | "failed")[]>;
};

export type DeadLetter = {
  /** A queue message body that can be sent to the queue again as it is. */
  body: string;
  /** Stable reason code, for example `not_storable` or `unreadable_message`. */
  reason: string;
  sqlState: string | undefined;
  /** Readable cause in the database's words. */
  detail: string;
  tenant: string | undefined;
  type: string | undefined;
  source: string | undefined;
  id: string | undefined;
  receivedAt: string | undefined;
  /** Deliveries of the message so far, this one included. */
  attempts: number;
  /** Times this event was replayed from the dead-letter queue. */
  replays: number;
};

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
