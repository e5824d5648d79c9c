import type { BatchFields } from "./log-lines.ts";
import type { MetricCounts } from "./metric-names.ts";
import type { ReceivedMessage } from "./queue-message.ts";

/**
 * Handles the messages of one invocation. What it throws fails the invocation as a whole.
 * @param until when the function is stopped, ms since the epoch
 */
export type BatchRule = (messages: ReceivedMessage[], until: number) => Promise<BatchOutcome>;

export type BatchOutcome = {
  /** Messages that stay in the queue and are delivered again; the others are done. */
  remaining: ReceivedMessage[];
  /** What fails the invocation after its line is logged: then every message that is not deleted is delivered again. */
  error?: unknown;
  /** The log line of the batch. */
  level: "info" | "warn" | "error";
  fields: BatchFields;
  metrics: MetricCounts;
};
