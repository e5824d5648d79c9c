import type { DatabaseError } from "./errors.ts";
import type { MetricCounts } from "./metric-names.ts";

/** A queue message as a consumer gets it. */
export type QueueMessage = {
  messageId: string;
  body: string;
  /** Times the message was tried so far, in all its copies and this time included. */
  attempts: number;
  /** Times the message was replayed from the dead-letter queue. */
  replays: number;
};

/** A message as its queue delivered it: what the rule reads of it, and what it takes to delete it or change its visibility. */
export type ReceivedMessage = QueueMessage & {
  receiptHandle: string;
  /** Times SQS delivered this copy of the message, this time included. */
  receiveCount: number;
  /** The message group: SQS serves groups fairly, so one tenant's flood does not delay the others. */
  group: string;
  /** When the message first came to the queue, ms since the epoch; its copies keep it. */
  sentAt: number;
};

export type BatchResult = {
  /** Messages that must come again: something of them is neither stored nor dead-lettered. */
  failed: QueueMessage[];
  /** Why messages failed, where the database said why; undefined when time ran out or a dead letter was not sent. */
  failure: DatabaseError | undefined;
  /** Events whose key is stored with another content. */
  conflicts?: { tenant: string; source: string; id: string }[];
  /** Counts for this batch, by metric name. */
  metrics: MetricCounts;
};

/** Judges a batch of messages; `deadline` is when the answer must be ready, ms since the epoch. */
export type BatchRule = (messages: QueueMessage[], deadline: number) => Promise<BatchResult>;
