import * as z from "zod/mini";
import { EXPORT_FORMATS } from "./export-job.ts";
import { SELECT_MAX_PATHS, SELECT_MAX_STEPS, SELECT_PATH_MAX_BYTES } from "./list-limits.ts";
import { isRfc3339 } from "./rfc3339.ts";

/** The bodies of requests to the function `export`. Members that are not here are refused. */

const instant = (what: string) =>
  z
    .string()
    .check(z.refine(isRfc3339, "is no instant of RFC 3339, for example 2026-11-29T00:00:00Z"), z.describe(what));

/** The same paths as in the lists of events. */
const path = z.string().check(
  z.maxLength(SELECT_PATH_MAX_BYTES),
  z.refine((text) => {
    const steps = text.startsWith("/") ? text.slice(1).split("/") : text.split(".");
    return text.isWellFormed() && !steps.includes("") && steps.length <= SELECT_MAX_STEPS;
  }, `is no path of 1 to ${SELECT_MAX_STEPS} names; write \`type\`, \`data.total\` or \`/data/total\``),
);

/** `POST /exports` */
export const newExport = z.strictObject({
  filter: z.optional(z.unknown().check(z.describe("A filter, as `POST /events/query` takes it. Missing: every event"))),
  from: z.optional(instant("Events received from then on")),
  to: z.optional(instant("Events received before")),
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
