import type { StoreError } from "./errors.ts";

/** A queue message as a consumer gets it. */
export type QueueMessage = {
  messageId: string;
  body: string;
  /** Times the message was tried so far, in all its copies and this time included. */
  attempts: number;
  /** Times the message was replayed from the dead-letter queue. */
  replays: number;
};

export type BatchResult = {
  /** Messages that must come again: something of them is neither stored nor dead-lettered. */
  failed: QueueMessage[];
  /** Why messages failed, where the database said why; undefined when time ran out or a dead letter was not sent. */
  blockedBy: StoreError | undefined;
  /** Events whose key is stored with another content. */
  conflicts?: { tenant: string; source: string; id: string }[];
  /** Counts for this batch, by metric name. */
  metrics: Record<string, number>;
};

/** Judges a batch of messages; `deadline` is when the answer must be ready, ms since the epoch. */
export type BatchRule = (messages: QueueMessage[], deadline: number) => Promise<BatchResult>;
