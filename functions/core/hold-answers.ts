import * as z from "zod";
import { HOLD_STATES } from "./hold.ts";
import { nextAfter } from "./next-after.ts";

/** The schemas of answers about legal holds. */

const holdAnswer = z.object({
  id: z.string(),
  state: z.enum(HOLD_STATES).meta({ description: "`ended`: `until` is over. Only an active hold keeps events" }),
  filter: z.unknown().optional().meta({ description: "Which events; missing for every event of the tenant" }),
  reason: z.string(),
  until: z.iso.datetime().optional().meta({ description: "The time at which it ends by itself" }),
  createdBy: z.string().meta({ description: "The id of the key that made it" }),
  createdAt: z.iso.datetime(),
  releasedAt: z.iso.datetime().optional(),
  releasedBy: z.string().optional().meta({ description: "The id of the key that released it" }),
  releaseReason: z.string().optional(),
});

export type HoldAnswer = z.output<typeof holdAnswer>;

export const holdSchemas = {
  Hold: holdAnswer,
  Holds: z.object({ holds: z.array(holdAnswer), next: nextAfter }),
  /** Its events are texts that are never parsed. */
  MadeHold: z.object({
    ...holdAnswer.shape,
    matches: z
      .object({
        count: z.int().nonnegative(),
        complete: z
          .boolean()
          .meta({ description: "False where there are more, or may be: the count has a bound, and its time has one" }),
        events: z.array(z.looseObject({})).meta({ description: "The newest of them" }),
      })
      .meta({ description: "The events that are stored now and match" }),
  }),
};
