import * as z from "zod/mini";
import { placeOf } from "./archive-keys.ts";
import { RESTORE_TARGETS } from "./restore-job.ts";
import { RESTORE_MAX_MANIFESTS } from "./restore-limits.ts";
import { RETENTIONS } from "./retention.ts";

/** The bodies of requests about restores. Members that are not here are refused. */

const DAY_ERROR = "is no day, such as 2026-11-29";

const day = z
  .string(DAY_ERROR)
  .check(
    z.refine((text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && isSameDay(text), DAY_ERROR),
  );

const isSameDay = (text: string): boolean => new Date(Date.parse(text)).toISOString().startsWith(text);

/** `POST /restores` */
export const newRestore = z.strictObject({
  manifests: z.optional(
    z.array(z.string().check(z.refine((key) => placeOf(key) !== undefined, "is no key of a manifest"))).check(
      z.minLength(1),
      z.maxLength(RESTORE_MAX_MANIFESTS),
      z.refine((keys) => new Set(keys).size === keys.length, "names a manifest twice"),
      z.describe("Manifests of the archive by their keys, such as `archive/30d/2026-11-29/acme/1/_manifest.json`"),
    ),
  ),
  from: z.optional(day).check(z.describe("Instead of them: the first UTC day of the receipt")),
  to: z.optional(day).check(z.describe("The last one")),
  filter: z.optional(z.unknown().check(z.describe("A filter, as `POST /events/query` takes it. Missing: every event"))),
  into: z
    .enum(RESTORE_TARGETS)
    .check(
      z.describe(
        "`live`: among the events that lists and reads give. `beside`: apart, to be read with `GET /restores/{id}/events`",
      ),
    ),
  retention: z
    .optional(z.enum(RETENTIONS))
    .check(z.describe("The class of events that are restored among the live ones; `keep` where it is missing")),
  dryRun: z.optional(
    z.boolean().check(z.describe("`true`: which manifests and how many events it would read; nothing starts")),
  ),
});

export type NewRestoreBody = z.output<typeof newRestore>;
