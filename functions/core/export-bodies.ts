import * as z from "zod/mini";
import { EXPORT_FORMATS } from "./export-job.ts";
import { instant } from "./list-bodies.ts";
import { SELECT_MAX_PATHS, SELECT_PATH_MAX_BYTES } from "./list-limits.ts";

/** The bodies of requests to the function `export`. Members that are not here are refused. */

const path = z.string().check(
  z.minLength(1),
  z.maxLength(SELECT_PATH_MAX_BYTES),
  z.refine((text) => text.isWellFormed(), "has half of a surrogate pair; send valid Unicode"),
);

/** `POST /exports` */
export const newExport = z.strictObject({
  filter: z.optional(z.unknown().check(z.describe("A filter, as `POST /events/query` takes it. Missing: every event"))),
  from: z.optional(instant).check(z.describe("Events received from then on")),
  to: z.optional(instant).check(z.describe("Events received before")),
  format: z
    ._default(z.enum(EXPORT_FORMATS), "ndjson")
    .check(z.describe("Each part is such a file, compressed by gzip")),
  select: z.optional(
    z.array(path).check(
      z.minLength(1),
      z.maxLength(SELECT_MAX_PATHS),
      z.refine((names) => new Set(names).size === names.length, "names a member twice"),
      z.describe(
        "Members of an event: `id`, `data.total`, or `/data/a.b` for a name with a point. The columns of CSV; the members of NDJSON, each where it was",
      ),
    ),
  ),
  plan: z.optional(
    z.boolean().check(z.describe("`true`: about how many events it would have, and some; nothing starts")),
  ),
});

export type NewExport = z.output<typeof newExport>;
