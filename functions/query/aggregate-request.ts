import { type AggregateQuery, aggregateQuery, FUNCTIONS, GROUP_COLUMNS } from "../core/aggregate-body.ts";
import {
  AGGREGATE_BODY_MAX_BYTES,
  AGGREGATE_DEFAULT_RANGE_HOURS,
  AGGREGATE_MAX_BUCKETS,
} from "../core/aggregate-limits.ts";
import type { AggregateScan, Every, GroupField, Measure } from "../core/aggregate-reader.ts";
import { readPointer } from "../core/data-path.ts";
import { RequestError } from "../core/errors.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import { toMicroseconds } from "../core/instant.ts";
import { readBody } from "../core/read-body.ts";
import { toTimeZone } from "../core/time-zone.ts";

/** The aggregate that a body asks for; the names are the members of an answer's rows. */
export type AggregateAsked = Omit<AggregateScan, "tenant" | "allowed"> & {
  fieldNames: readonly string[];
  measureNames: readonly string[];
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The shortest buckets of each length. */
const SHORTEST_MS: Record<Every, number> = {
  PT1M: MINUTE_MS,
  PT5M: 5 * MINUTE_MS,
  PT15M: 15 * MINUTE_MS,
  PT1H: HOUR_MS,
  // A day on which clocks go forward has 23 hours.
  P1D: 23 * HOUR_MS,
  P1W: 7 * DAY_MS - HOUR_MS,
  P1M: 28 * DAY_MS - HOUR_MS,
};

/**
 * Reads the body of `POST /events/aggregate`.
 * @throws RequestError `malformed_body` and others of a body, `bad_filter`
 */
export function readAggregateRequest(
  request: { headers: Record<string, string | undefined>; body: Uint8Array },
  now: Date,
): AggregateAsked {
  const asked = readBody(aggregateQuery, request, AGGREGATE_BODY_MAX_BYTES);
  const { groupBy = [], measures = ["count"], every, timeZone = "UTC" } = asked;
  return {
    filter: filterFromBody(request.body),
    ...toRange(asked, now),
    every,
    timeZone: toTimeZone(timeZone) ?? timeZone,
    fields: groupBy.map(toField),
    fieldNames: groupBy,
    measures: measures.map(toMeasure),
    measureNames: measures.map(toName),
  };
}

/** Without an end, the range ends with this minute, so that it has whole minutes. */
function toRange({ from, to, every }: AggregateQuery, now: Date): { from: string; to: string } {
  const end = to ?? new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS + MINUTE_MS).toISOString();
  const endMs = Date.parse(micros(end));
  const start = from ?? new Date(endMs - AGGREGATE_DEFAULT_RANGE_HOURS * HOUR_MS).toISOString();
  const range = { from: micros(start), to: micros(end) };
  if (range.from >= range.to) refuse("from is not before to");
  const buckets = every === undefined ? 1 : Math.ceil((endMs - Date.parse(range.from)) / SHORTEST_MS[every]);
  if (buckets > AGGREGATE_MAX_BUCKETS) {
    refuse(
      `the range has up to ${buckets} buckets of ${every}; the limit is ${AGGREGATE_MAX_BUCKETS}. Ask for a shorter range or longer buckets`,
    );
  }
  return range;
}

/** The schema has checked it. */
const micros = (instant: string): string => toMicroseconds(instant) ?? "";

function toField(name: string): GroupField {
  return GROUP_COLUMNS.find((column) => column === name) ?? toPath(name);
}

type AskedMeasure = NonNullable<AggregateQuery["measures"]>[number];

function toMeasure(measure: AskedMeasure): Measure {
  if (measure === "count") return measure;
  const [name, place] = partsOf(measure);
  return { function: FUNCTIONS.find((each) => each === name) ?? "count", path: toPath(place) };
}

function toName(measure: AskedMeasure): string {
  return measure === "count" ? measure : partsOf(measure).join(":");
}

/** The schema has checked that it has one member. */
function partsOf(measure: Exclude<AskedMeasure, "count">): [string, string] {
  const [[name, place] = ["count", ""]] = Object.entries(measure);
  return [name, place ?? ""];
}

const toPath = (place: string): string[] => readPointer(place.slice("/data".length)) ?? [];

function refuse(fault: string): never {
  throw new RequestError("malformed_body", `The body is not valid: ${fault}.`);
}
