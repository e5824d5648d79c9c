import * as z from "zod";
import { deadLetter } from "./dead-letter-answers.ts";
import { REPLAY_ACTIONS, REPLAY_FAILURES, REPLAY_STATES } from "./replay-job.ts";

/** The schemas of answers about replays. */

const count = z.int().nonnegative();
const texts = z.array(z.string()).optional();

/** A replay or discard: what was asked for, and its progress. */
export const replayAnswer = z.object({
  id: z.string(),
  action: z.enum(REPLAY_ACTIONS),
  tenant: z.string().meta({ description: "`*`: the dead letters of every tenant, and those of none" }),
  state: z
    .enum(REPLAY_STATES)
    .meta({ description: "`done`: everything is sent; `stored` and `deadLettered` may still rise" }),
  cancelling: z.literal(true).optional().meta({ description: "It was cancelled, and ends when what it took is sent" }),
  planned: count.meta({ description: "Dead letters that matched at its start" }),
  taken: count.meta({ description: "Dead letters that it has taken so far" }),
  sent: count.meta({ description: "Of these, events that the queue has; of a discard, those that are discarded" }),
  stored: count.meta({ description: "Of these, events that are stored, as far as is known" }),
  deadLettered: count.meta({ description: "Of these, events that came back" }),
  keyId: z.string().meta({ description: "The id of the key that started it" }),
  createdAt: z.iso.datetime(),
  progressAt: z.iso.datetime().meta({ description: "When it last came further" }),
  finishedAt: z.iso.datetime().optional(),
  reason: z.enum(REPLAY_FAILURES).optional().meta({ description: "Why it failed; stable" }),
  detail: z.string().optional().meta({ description: "The same for people" }),
  request: z
    .object({
      filter: z.unknown().optional(),
      ids: texts,
      reason: texts,
      sqlState: texts,
      message: texts,
      openedFrom: z.string().optional(),
      openedTo: z.string().optional(),
      limit: count.optional(),
      rate: count.optional(),
      maxReplays: count.optional(),
      to: z.string().optional(),
      note: z.string().optional(),
    })
    .optional()
    .meta({ description: "What was asked for; not in lists" }),
});

export type ReplayAnswer = z.output<typeof replayAnswer>;

/** The answer to a request with `dryRun`. */
export const replayPlan = z.object({
  state: z.literal("planned"),
  planned: count.meta({ description: "Open dead letters that it would take now" }),
  until: z.iso.datetime().meta({ description: "All of them became open before: `openedTo` of the start" }),
  sent: z.literal(0),
  stored: z.literal(0),
  deadLettered: z.literal(0),
  sample: z.array(deadLetter).meta({ description: "The oldest of them" }),
});

export type ReplayPlanAnswer = z.output<typeof replayPlan>;
