import * as z from "zod/mini";
import {
  AGGREGATE_DEFAULT_RANGE_HOURS,
  AGGREGATE_MAX_FIELDS,
  AGGREGATE_MAX_MEASURES,
  AGGREGATE_MAX_PATH_STEPS,
} from "./aggregate-limits.ts";
import { readPointer } from "./data-path.ts";
import { instant } from "./list-bodies.ts";
import { toTimeZone } from "./time-zone.ts";

/** The lengths of buckets, as durations of ISO 8601. */
export const EVERY = ["PT1M", "PT5M", "PT15M", "PT1H", "P1D", "P1W", "P1M"] as const;

/** The columns that events can be grouped by, beside values in their data. */
export const GROUP_COLUMNS = ["type", "source", "subject"] as const;

/** Functions of the numbers at a place in the data. */
export const FUNCTIONS = ["count", "sum", "avg", "min", "max", "p50", "p95", "p99"] as const;

const PLACE_ERROR = `is no JSON Pointer to a value in the data, such as /data/total, with at most ${AGGREGATE_MAX_PATH_STEPS} keys`;
const place = z.string().check(z.refine(isPlace, PLACE_ERROR));

/** Tells whether a text is a JSON Pointer from the event to `data`, or to a value in it. */
function isPlace(text: string): boolean {
  return /^\/data(?:\/|$)/.test(text) && readPointer(text.slice("/data".length)) !== undefined;
}

const FIELD_ERROR = `is none of ${GROUP_COLUMNS.join(", ")}, and no JSON Pointer to a value in the data, such as /data/currency`;
const field = z
  .string()
  .check(z.refine((text) => GROUP_COLUMNS.some((column) => column === text) || isPlace(text), FIELD_ERROR));

const MEASURE_ERROR = `is neither "count", nor an object with one function and a place, such as {"p95": "/data/total"}; the functions are ${FUNCTIONS.join(", ")}`;
const ofPlace = z
  .strictObject(Object.fromEntries(FUNCTIONS.map((name) => [name, z.optional(place)])))
  .check(z.refine((value) => Object.keys(value).length === 1, MEASURE_ERROR));

/** `POST /events/aggregate` */
export const aggregateQuery = z.strictObject({
  filter: z
    .optional(z.unknown())
    .check(z.describe("A filter as docs/filters.md describes it; all events where it is missing")),
  from: z
    .optional(instant)
    .check(
      z.describe(
        `The earliest time of receipt; ${AGGREGATE_DEFAULT_RANGE_HOURS} hours before \`to\` where it is missing`,
      ),
    ),
  to: z
    .optional(instant)
    .check(
      z.describe("The latest time of receipt, which is not in the range; the end of this minute where it is missing"),
    ),
  every: z
    .optional(z.enum(EVERY))
    .check(z.describe("The length of a bucket; the range is one bucket where it is missing. Weeks begin on Monday")),
  timeZone: z
    .optional(
      z.string().check(z.refine((text) => toTimeZone(text) !== undefined, "is no time zone such as Europe/Berlin")),
    )
    .check(z.describe("The time zone in which hours, days, weeks and months begin; UTC where it is missing")),
  groupBy: z
    .optional(z.array(field).check(z.maxLength(AGGREGATE_MAX_FIELDS), z.refine(areUnique, "names a field twice")))
    .check(z.describe("`type`, `source`, `subject`, or JSON Pointers to values in the data")),
  measures: z
    .optional(
      z
        .array(z.union([z.literal("count"), ofPlace], MEASURE_ERROR))
        .check(z.minLength(1), z.maxLength(AGGREGATE_MAX_MEASURES)),
    )
    .check(
      z.describe(
        `\`count\` of the events, which is the default, or a function of the numbers at a place: ${FUNCTIONS.join(", ")}`,
      ),
    ),
});

export type AggregateQuery = z.output<typeof aggregateQuery>;

function areUnique(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
