import * as z from "zod/mini";
import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { RestoreStep } from "../core/restore-job.ts";
import type { RestoreOutcome } from "./restore-step.ts";

const message = z.object({ restore: z.string(), attempts: z.optional(z.int().check(z.nonnegative())) });

type Step = (step: RestoreStep, message: ReceivedMessage, until: number) => Promise<RestoreOutcome>;

/** Runs the steps of restores, one after the other, and gives every other message to another rule. */
export function createRunRestores(step: Step, others: BatchRule): BatchRule {
  return async (messages, until) => {
    const restores = messages.flatMap((each) => {
      const body = read(each.body);
      return body === undefined ? [] : [{ each, body }];
    });
    if (restores.length === 0) return others(messages, until);
    // A batch is one message; of several kinds, those of the other stay for the next delivery.
    const taken = new Set(restores.map(({ each }) => each));
    const remaining: ReceivedMessage[] = messages.filter((each) => !taken.has(each));
    const outcome: BatchOutcome = {
      remaining,
      level: "info",
      fields: { failedMessages: 0, requeuedMessages: 0 },
      metrics: {},
    };
    for (const { each, body } of restores) {
      const result = await step(body, each, until);
      const hasFailed = result.kind === "ended" && result.state === "failed";
      if (result.kind === "unsent") remaining.push(each);
      if (result.kind === "retried" || result.kind === "postponed") outcome.fields.requeuedMessages += 1;
      if (hasFailed) outcome.metrics.RestoresFailed = (outcome.metrics.RestoresFailed ?? 0) + 1;
      if (hasFailed || result.kind === "retried") outcome.level = "warn";
      const { kind, ...facts } = result;
      outcome.fields.restore = { id: body.restore, outcome: kind, ...facts };
    }
    outcome.fields.failedMessages = remaining.length;
    return outcome;
  };
}

function read(body: string): RestoreStep | undefined {
  try {
    return message.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
