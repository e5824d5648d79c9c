import * as z from "zod/mini";
import { ERASURE_MAX_IDS, ERASURE_REASON_MAX_CHARACTERS } from "./erasure-limits.ts";
import { ERASURE_SUPPRESSIONS } from "./erasure-job.ts";
import { fitsUtf8 } from "./fits-utf8.ts";
import { ID_MAX_BYTES, SOURCE_MAX_BYTES, SUBJECT_MAX_BYTES } from "./limits.ts";

/** The bodies of requests about erasures. Members that are not here are refused. */

const isStorable = (value: string): boolean => value.isWellFormed() && !value.includes("\0");

const text = (bytes: number) =>
  z.string().check(
    z.minLength(1),
    z.refine(isStorable, "has a character that no stored event has"),
    z.refine((value) => fitsUtf8(value, bytes), `is longer than ${bytes} bytes`),
  );

const key = z.union(
  [text(ID_MAX_BYTES), z.strictObject({ source: text(SOURCE_MAX_BYTES), id: text(ID_MAX_BYTES) })],
  `is neither an id of at most ${ID_MAX_BYTES} bytes nor a source and an id`,
);

/** `POST /erasures` */
export const newErasure = z.strictObject({
  subject: z.optional(text(SUBJECT_MAX_BYTES).check(z.describe("Events with this subject. One of the three is given"))),
  ids: z.optional(
    z
      .array(key)
      .check(
        z.minLength(1),
        z.maxLength(ERASURE_MAX_IDS),
        z.describe("Events by their source and id; a text alone is the id of every source"),
      ),
  ),
  filter: z.optional(z.unknown().check(z.describe("Events that a filter matches, as `POST /events/query` takes it"))),
  reason: z
    .string()
    .check(
      z.minLength(1),
      z.maxLength(ERASURE_REASON_MAX_CHARACTERS),
      z.refine(isStorable, "has a character that cannot be stored"),
      z.describe("It stands in the receipt and in the audit log for years: name the request, and not the person"),
    ),
  suppress: z
    .optional(z.enum(ERASURE_SUPPRESSIONS))
    .check(
      z.describe(
        "For how long events are refused that are accepted later. Missing: those that were erased for ever, by their source and id, others not. What was accepted before is refused in any case",
      ),
    ),
  dryRun: z.optional(z.boolean().check(z.describe("`true`: how much it would erase of each place; nothing starts"))),
});

export type NewErasureBody = z.output<typeof newErasure>;
