import * as z from "zod/mini";
import { LIST_DEFAULT_EVENTS, LIST_MAX_EVENTS, SELECT_MAX_PATHS, SELECT_PATH_MAX_BYTES } from "./list-limits.ts";
import { COUNT_MODES } from "./list-reader.ts";
import { toMicroseconds } from "./instant.ts";

/** The orders of a list; `-` stands for the newest first. */
export const LIST_ORDERS = ["-receivedAt", "receivedAt"] as const;

const INSTANT_ERROR = "is no instant of RFC 3339 such as 2026-11-21T09:30:00Z (in a URL, a + is written %2B)";

/** An instant as it is sent; it becomes UTC with microseconds. */
export const instant = z.string(INSTANT_ERROR).check(
  z.minLength(1, INSTANT_ERROR),
  z.maxLength(64, INSTANT_ERROR),
  z.refine((text) => toMicroseconds(text) !== undefined, INSTANT_ERROR),
);

/** `POST /events/query` */
export const eventQuery = z.strictObject({
  filter: z
    .optional(z.unknown())
    .check(z.describe("A filter as docs/filters.md describes it; all events where it is missing")),
  from: z.optional(instant).check(z.describe("The earliest time of receipt, which is in the range")),
  to: z.optional(instant).check(z.describe("The latest time of receipt, which is not in the range")),
  timeFrom: z.optional(instant).check(z.describe("The same for `time`, the producer's time")),
  timeTo: z.optional(instant),
  order: z.optional(z.enum(LIST_ORDERS)).check(z.describe("`-receivedAt`, newest first, where it is missing")),
  limit: z
    .optional(z.int().check(z.minimum(1), z.maximum(LIST_MAX_EVENTS)))
    .check(
      z.describe(`Events of a page; ${LIST_DEFAULT_EVENTS} where it is missing, and for NDJSON and CSV as many as fit`),
    ),
  cursor: z.optional(z.string().check(z.minLength(1))).check(z.describe("`next` or `prev` of another page")),
  select: z
    .optional(
      z
        .array(z.string().check(z.minLength(1), z.maxLength(SELECT_PATH_MAX_BYTES)))
        .check(z.minLength(1), z.maxLength(SELECT_MAX_PATHS)),
    )
    .check(z.describe("The members of the events, as names with points between them, or as JSON Pointers")),
  count: z.optional(z.enum(COUNT_MODES)).check(z.describe("`none` where it is missing")),
});
