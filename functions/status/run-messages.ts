import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import { statusMessage, type StatusMessage } from "../core/status-message.ts";

/** Handles the messages of the queue of `status`. A message that nobody can read stays, and becomes a dead letter. */
export function createRunMessages(): BatchRule {
  return (messages) => {
    const remaining = messages.filter(({ body }) => read(body) === undefined);
    const outcome: BatchOutcome = {
      remaining,
      level: remaining.length > 0 ? "warn" : "info",
      fields: { failedMessages: remaining.length, requeuedMessages: 0 },
      metrics: {},
    };
    if (remaining.length > 0) outcome.fields.unreadable = remaining.length;
    return Promise.resolve(outcome);
  };
}

function read(body: string): StatusMessage | undefined {
  try {
    return statusMessage.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
