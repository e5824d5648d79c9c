import * as z from "zod/mini";
import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import type { ErasureStep } from "../core/erasure-job.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { ErasureOutcome } from "./erasure-step.ts";

const message = z.object({ erasure: z.string(), attempts: z.optional(z.int().check(z.nonnegative())) });

type Step = (step: ErasureStep, message: ReceivedMessage, until: number) => Promise<ErasureOutcome>;

/** Runs the steps of erasures, one after the other, and gives every other message to another rule. */
export function createRunErasures(step: Step, others: BatchRule): BatchRule {
  return async (messages, until) => {
    const erasures = messages.flatMap((each) => {
      const body = read(each.body);
      return body === undefined ? [] : [{ each, body }];
    });
    if (erasures.length === 0) return others(messages, until);
    // A batch is one message; of several kinds, those of the other stay for the next delivery.
    const taken = new Set(erasures.map(({ each }) => each));
    const remaining: ReceivedMessage[] = messages.filter((each) => !taken.has(each));
    const outcome: BatchOutcome = {
      remaining,
      level: "info",
      fields: { failedMessages: 0, requeuedMessages: 0 },
      metrics: {},
    };
    for (const { each, body } of erasures) {
      const { open, ...result } = await step(body, each, until);
      const hasFailed = result.kind === "ended" && result.state === "failed";
      if (result.kind === "unsent") remaining.push(each);
      if (result.kind === "retried" || result.kind === "postponed") outcome.fields.requeuedMessages += 1;
      if (hasFailed) outcome.metrics.ErasuresFailed = (outcome.metrics.ErasuresFailed ?? 0) + 1;
      if (hasFailed || result.kind === "retried") outcome.level = "warn";
      if (open !== undefined) outcome.metrics.OpenDeadLetters = open;
      const { kind, ...facts } = result;
      outcome.fields.erasure = { id: body.erasure, outcome: kind, ...facts };
    }
    outcome.fields.failedMessages = remaining.length;
    return outcome;
  };
}

function read(body: string): ErasureStep | undefined {
  try {
    return message.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
