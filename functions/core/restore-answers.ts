import * as z from "zod";
import { RESTORE_FAILURES, RESTORE_STATES, RESTORE_TARGETS } from "./restore-job.ts";
import { RETENTIONS } from "./retention.ts";

const count = z.int().nonnegative();

/** A restore: what was asked for, its progress, and its receipt when it has ended. */
export const restoreAnswer = z.object({
  id: z.string(),
  state: z.enum(RESTORE_STATES),
  into: z.enum(RESTORE_TARGETS),
  retention: z.enum(RETENTIONS).optional().meta({ description: "The class of restored events" }),
  cancelling: z.literal(true).optional().meta({ description: "Somebody has asked it to end" }),
  planned: count.meta({ description: "Events in its manifests" }),
  read: count.meta({ description: "Events that were read" }),
  matched: count.meta({ description: "Those of them that match; the sum of the four below" }),
  restored: count.meta({ description: "Events that were brought back" }),
  present: count.meta({ description: "Events that were there already, equal" }),
  conflicts: count.meta({ description: "Events whose key is stored with other content, which stays" }),
  refused: count.meta({ description: "Events that the database refuses; `detail` names the last" }),
  keyId: z.string().meta({ description: "The id of the key that started it" }),
  createdAt: z.iso.datetime(),
  progressAt: z.iso.datetime().meta({ description: "When it last came further" }),
  finishedAt: z.iso.datetime().optional(),
  reason: z.enum(RESTORE_FAILURES).optional().meta({ description: "Why it failed; stable" }),
  detail: z.string().optional().meta({ description: "The same for people; it names the file or event" }),
  readableUntil: z.iso.datetime().optional().meta({ description: "Events beside the live ones are deleted then" }),
  manifests: z
    .array(z.object({ key: z.string(), sha256: z.string() }))
    .optional()
    .meta({ description: "What it reads, with the SHA-256 of each file; not in lists" }),
  request: z
    .object({
      manifests: z.array(z.string()).optional(),
      from: z.string().optional(),
      to: z.string().optional(),
      filter: z.unknown().optional(),
    })
    .optional()
    .meta({ description: "What was asked for; not in lists" }),
});

export type RestoreAnswer = z.output<typeof restoreAnswer>;

/** The answer to a request with `dryRun`. */
export const restorePlan = z.object({
  state: z.literal("planned"),
  planned: count.meta({ description: "Events in the manifests; those that match are found when they are read" }),
  bytes: count.meta({ description: "Of the parts, compressed" }),
  manifests: z.array(
    z.object({
      key: z.string(),
      sha256: z.string(),
      rows: count,
      known: z.boolean().meta({ description: "This database has written it" }),
    }),
  ),
});

export type RestorePlanAnswer = z.output<typeof restorePlan>;
