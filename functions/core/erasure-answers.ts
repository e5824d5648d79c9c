import * as z from "zod";
import {
  ERASURE_FAILURES,
  ERASURE_PLACES,
  ERASURE_SELECTIONS,
  ERASURE_STATES,
  ERASURE_SUPPRESSIONS,
} from "./erasure-job.ts";

const count = z.int().nonnegative();

const planned = z.object({
  events: count.meta({ description: "Events, also of days that retention has detached" }),
  restored: count.meta({ description: "Copies of events that a restore has brought back beside the live ones" }),
  deadLetters: count,
  deliveries: count,
  exports: count.meta({ description: "Files of exports that are searched" }),
  archive: count.meta({ description: "Parts of the archive that are searched" }),
  refusals: count.meta({ description: "Groups of refusals whose samples are searched" }),
  complete: z.boolean().meta({ description: "`false`: the time was too short, so there may be more" }),
});

const erased = z.object({
  events: count,
  restored: count,
  deadLetters: count,
  deliveries: count,
  attempts: count.meta({ description: "Attempts of deliveries, with the answers of their sinks" }),
  exports: count.meta({ description: "Files of exports that were rewritten or deleted" }),
  archive: count.meta({ description: "Parts of the archive that were rewritten" }),
  refusals: count.meta({ description: "Groups of refusals whose samples were deleted" }),
  keys: count.meta({ description: "Hashes of events that are refused from now on" }),
});

/** The receipt of an erasure that has ended. */
const receipt = z.object({
  id: z.string(),
  by: z.string().meta({ description: "The id of the key that started it" }),
  at: z.iso.datetime().meta({ description: "When it ended" }),
  filterHash: z.string().meta({ description: "HMAC-SHA256 of what was asked for, in hexadecimal" }),
  counts: erased,
  horizonBefore: z.string().meta({ description: "The horizon of the feed when it started" }),
  horizonAfter: z.string().meta({ description: "The horizon when it ended: nothing below it has an erased event" }),
  rollupDeltas: count.meta({ description: "Events that were taken out of the rollups" }),
  backupsExpireAt: z.iso.datetime().meta({ description: "By then no backup of the stage has the events" }),
  sha256: z
    .string()
    .meta({ description: "SHA-256 over the HMACs of the events, sorted, as bytes behind each other; in hexadecimal" }),
});

/** An erasure: what was asked for, its progress, and its receipt when it has ended. */
export const erasureAnswer = z.object({
  id: z.string(),
  state: z.enum(ERASURE_STATES),
  by: z.enum(ERASURE_SELECTIONS).meta({ description: "How the request names the events, which is not kept" }),
  reason: z.string(),
  suppress: z.enum(ERASURE_SUPPRESSIONS).optional(),
  keyId: z.string().meta({ description: "The id of the key that started it" }),
  planned,
  place: z.enum(ERASURE_PLACES).optional().meta({ description: "Where it works" }),
  erased: erased.partial().meta({ description: "What was erased so far" }),
  createdAt: z.iso.datetime(),
  startsAt: z.iso.datetime().optional().meta({ description: "It can be cancelled until then" }),
  startedAt: z.iso.datetime().optional(),
  progressAt: z.iso.datetime().meta({ description: "When it last came further" }),
  finishedAt: z.iso.datetime().optional(),
  failure: z.enum(ERASURE_FAILURES).optional().meta({ description: "Why it failed; stable" }),
  detail: z.string().optional().meta({ description: "The same for people" }),
  receipt: receipt.optional(),
});

export type ErasureAnswer = z.output<typeof erasureAnswer>;

/** The answer to a request with `dryRun`. */
export const erasurePlan = z.object({ state: z.literal("planned"), planned });
