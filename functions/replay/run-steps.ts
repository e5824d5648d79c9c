import * as z from "zod/mini";
import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { readJson } from "../core/read-json.ts";
import type { ReplayStep } from "../core/replay-job.ts";
import type { StepOutcome } from "./step.ts";

const count = z.int().check(z.nonnegative());
const message = z.object({ id: z.string(), attempts: z.optional(count), looks: z.optional(count) });

type Step = (step: ReplayStep, message: ReceivedMessage, until: number) => Promise<StepOutcome>;

/** Runs the steps of an invocation's messages, one after the other. A message that is no step stays, and becomes a dead letter. */
export function createRunSteps(step: Step): BatchRule {
  return async (messages, until) => {
    const remaining: ReceivedMessage[] = [];
    const outcome: BatchOutcome = {
      remaining,
      level: "info",
      fields: { failedMessages: 0, requeuedMessages: 0 },
      metrics: {},
    };
    for (const each of messages) {
      const body = readJson(message, each.body);
      const result = body === undefined ? { kind: "unreadable" as const } : await step(body, each, until);
      const hasFailed = result.kind === "ended" && result.state === "failed";
      if (result.kind === "unreadable" || result.kind === "unsent") remaining.push(each);
      if (result.kind === "retried" || result.kind === "postponed") outcome.fields.requeuedMessages += 1;
      if (hasFailed) outcome.metrics.ReplaysFailed = (outcome.metrics.ReplaysFailed ?? 0) + 1;
      if (hasFailed || result.kind === "unreadable" || result.kind === "retried") outcome.level = "warn";
      if ("open" in result) outcome.metrics.OpenDeadLetters = result.open;
      const { kind, ...facts } = result;
      outcome.fields.replay = { id: body?.id, outcome: kind, ...facts };
    }
    outcome.fields.failedMessages = remaining.length;
    return outcome;
  };
}
