import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import { DatabaseError } from "../core/errors.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { StepOutcome } from "./step.ts";

type Step = (message: ReceivedMessage, until: number) => Promise<StepOutcome>;

/** Runs a step for each message of an invocation. Where the database does not answer, the message stays, and comes again. */
export function createRunSteps(step: Step): BatchRule {
  return async (messages, until) => {
    const remaining: ReceivedMessage[] = [];
    const outcome: BatchOutcome = {
      remaining,
      level: "info",
      fields: { failedMessages: 0, requeuedMessages: 0 },
      metrics: {},
    };
    for (const message of messages) {
      try {
        const { kind, ...rest } = await step(message, until);
        if (kind === "unsent") remaining.push(message);
        if (kind === "unsent" || ("postponed" in rest && rest.postponed.length > 0)) outcome.level = "warn";
        outcome.fields.retention = { outcome: kind, ...rest };
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        remaining.push(message);
        outcome.level = "warn";
        outcome.fields.retention = { outcome: "failed", reason: error.reason };
      }
    }
    outcome.fields.failedMessages = remaining.length;
    return outcome;
  };
}
