import * as z from "zod/mini";
import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { readJson } from "../core/read-json.ts";
import type { ErasureOutcome } from "./erasure-step.ts";
import type { RestoreOutcome } from "./restore-step.ts";

/** The kinds of jobs, each with the metric of those that failed. */
const FAILED = { restore: "RestoresFailed", erasure: "ErasuresFailed" } as const;

type Outcomes = { restore: RestoreOutcome; erasure: ErasureOutcome };
type Kind = keyof Outcomes;

/** A message names its job by the kind: `{"restore": "rst_…", "attempts": 2}`. */
type Step<K extends Kind> = Record<K, string> & { attempts?: number | undefined };
type Run<K extends Kind> = (step: Step<K>, message: ReceivedMessage, until: number) => Promise<Outcomes[K]>;

/** Runs the steps of the jobs of a kind, one after the other, and gives every other message to another rule. */
export function createRunJobs<K extends Kind>(kind: K, run: Run<K>, others: BatchRule): BatchRule {
  const schema = z.object({ [kind]: z.string(), attempts: z.optional(z.int().check(z.nonnegative())) });

  return async (messages, until) => {
    const jobs = messages.flatMap((message) => {
      const body = readJson(schema, message.body) as Step<K> | undefined;
      return body === undefined ? [] : [{ message, body }];
    });
    if (jobs.length === 0) return others(messages, until);
    // A batch is one message; of several kinds, those of the other stay for the next delivery.
    const taken = new Set(jobs.map(({ message }) => message));
    const remaining: ReceivedMessage[] = messages.filter((message) => !taken.has(message));
    const outcome: BatchOutcome = {
      remaining,
      level: "info",
      fields: { failedMessages: 0, requeuedMessages: 0 },
      metrics: {},
    };
    for (const { message, body } of jobs) {
      const { open, ...result }: Outcomes[Kind] & { open?: number } = await run(body, message, until);
      const hasFailed = result.kind === "ended" && result.state === "failed";
      if (result.kind === "unsent") remaining.push(message);
      if (result.kind === "retried" || result.kind === "postponed") outcome.fields.requeuedMessages += 1;
      if (hasFailed) outcome.metrics[FAILED[kind]] = (outcome.metrics[FAILED[kind]] ?? 0) + 1;
      if (hasFailed || result.kind === "retried") outcome.level = "warn";
      if (open !== undefined) outcome.metrics.OpenDeadLetters = open;
      const { kind: became, ...facts } = result;
      outcome.fields[kind] = { id: body[kind], outcome: became, ...facts };
    }
    outcome.fields.failedMessages = remaining.length;
    return outcome;
  };
}
