import * as z from "zod/mini";
import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import type { ExportStep } from "../core/export-job.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { readJson } from "../core/read-json.ts";
import type { StepOutcome } from "./step.ts";

const message = z.object({ tenant: z.string(), id: z.string() });

type Step = (step: ExportStep, message: ReceivedMessage, until: number) => Promise<StepOutcome>;

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
      if (result.kind === "unreadable" || result.kind === "busy" || result.kind === "unsent") remaining.push(each);
      if (result.kind === "retried") outcome.fields.requeuedMessages += 1;
      if (result.kind === "failed") outcome.metrics.ExportsFailed = (outcome.metrics.ExportsFailed ?? 0) + 1;
      if (result.kind === "unreadable" || result.kind === "retried" || result.kind === "failed") outcome.level = "warn";
      outcome.fields.export = { ...body, ...describe(result) };
    }
    outcome.fields.failedMessages = remaining.length;
    return outcome;
  };
}

function describe(result: StepOutcome | { kind: "unreadable" }) {
  const { kind } = result;
  switch (kind) {
    case "continued":
    case "done":
      return { outcome: kind, rows: result.rows };
    case "failed":
      return { outcome: kind, reason: result.reason };
    case "retried":
      return { outcome: kind, reason: result.error.message };
    default:
      return { outcome: kind };
  }
}
