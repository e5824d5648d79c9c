import type { BatchFields } from "./log-lines.ts";
import type { MetricCounts } from "./metric-names.ts";
import type { ReceivedMessage } from "./queue-message.ts";

/**
 * Handles the messages of one invocation.
 * @param until when the function is stopped, ms since the epoch
 * @throws any error; the invocation then fails as a whole, and every message is delivered again
 */
export type BatchRule<Message = ReceivedMessage> = (
  messages: Message[],
  until: number,
) => Promise<BatchOutcome<Message>>;

export type BatchOutcome<Message = ReceivedMessage> = {
  /** Messages that stay in the queue and are delivered again; the others are done. */
  remaining: Message[];
  /** An error that fails the invocation after its line is logged. Every message not yet deleted is then delivered again. */
  error?: unknown;
  /** The log line of the batch. */
  level: "info" | "warn" | "error";
  fields: BatchFields;
  metrics: MetricCounts;
};
