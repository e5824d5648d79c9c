import * as z from "zod/mini";
import { HOLD_REASON_MAX_CHARACTERS } from "./hold-limits.ts";
import { instant } from "./list-bodies.ts";

/** The bodies of requests about legal holds. Members that are not here are refused. */

const reason = z.string().check(
  z.trim(),
  z.minLength(1),
  z.maxLength(HOLD_REASON_MAX_CHARACTERS),
  z.refine((text) => text.isWellFormed() && !text.includes("\0"), "has a character that cannot be stored"),
);

/** `POST /holds` */
export const newHold = z.strictObject({
  filter: z.optional(z.unknown().check(z.describe("A filter, as `POST /events/query` takes it. Missing: every event"))),
  reason: reason.check(z.describe("Why, for example the number of a case. The audit log keeps it")),
  until: z
    .optional(instant)
    .check(z.describe("The time at which it ends by itself. Missing: when somebody releases it")),
});

/** `POST /holds/{id}/release` */
export const holdRelease = z.strictObject({
  reason: reason.check(z.describe("Why it is released. The audit log keeps it")),
});
