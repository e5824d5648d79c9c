import {
  AGGREGATE_MAX_EVENTS,
  AGGREGATE_MAX_ROLLUPS,
  AGGREGATE_MAX_ROWS,
  AGGREGATE_MAX_ROWS_BYTES,
  AGGREGATE_SCAN_MS,
} from "../../core/aggregate-limits.ts";
import type { Aggregate, AggregateReader, AggregateRow, AggregateScan, Measure } from "../../core/aggregate-reader.ts";
import { writePointer } from "../../core/data-path.ts";
import { isBoundSql } from "../../core/filter/is-bound-sql.ts";
import { toSql } from "../../core/filter/to-sql.ts";
import type { SqlDatabase, SqlValue } from "../../core/ports.ts";
import { inSlot, refuseWithoutSlot } from "./query-slot.ts";
import { textArray, toTextArray } from "./text-array.ts";

/** Times leave as seconds since 1970; `wall` as if the time zone's clock showed UTC. */
const COLUMNS = `
  cast(extract(epoch from start) as text), cast(extract(epoch from wall) as text), groups, measured, whole,
  cast(extract(epoch from reached) * 1000 as text)`;

const DROPPED_BEFORE = "cast(extract(epoch from dropped_before) * 1000 as text)";

const SCAN = `cast(:from as timestamptz), cast(:to as timestamptz), :every, :zone`;
const CONDITION = `:condition, ${textArray(":bound")}, ${textArray(":types")}, ${textArray(":sources")}`;

/** Documented in functions/sql/0005_rollups.sql, with the indexes that they rely on. */
const aggregateRollups = (tenant: string) => `aggregate_rollups(
    ${tenant}, ${SCAN}, ${textArray(":fields")}, ${textArray(":places")}, cast(:measures as jsonb), ${CONDITION},
    ${AGGREGATE_MAX_ROLLUPS}, ${AGGREGATE_MAX_ROWS}, ${AGGREGATE_MAX_ROWS_BYTES}
  )`;
const aggregateEvents = (tenant: string) => `aggregate_events(
    ${tenant}, ${SCAN}, cast(:fields as jsonb), cast(:places as jsonb), cast(:measures as jsonb), ${CONDITION},
    ${AGGREGATE_SCAN_MS}, ${AGGREGATE_MAX_EVENTS}, ${AGGREGATE_MAX_ROWS}, ${AGGREGATE_MAX_ROWS_BYTES}
  )`;

/** The reader of aggregates: one statement each. */
export function createAggregateReader(
  database: SqlDatabase,
  {
    maxOfTenant,
  }: {
    /** Queries that a tenant may have under way; then both throw RequestError `too_many_queries`. @default any number */
    maxOfTenant?: number;
  } = {},
): AggregateReader {
  const fromRollups = `select ${COLUMNS}, covered from ${inSlot(maxOfTenant, aggregateRollups)}`;
  const fromEvents = `select ${COLUMNS}, scanned, ${DROPPED_BEFORE} from ${inSlot(maxOfTenant, aggregateEvents)}`;
  const read = async (statement: string, parameters: Record<string, string | null>, deadline: number) => {
    const { rows } = await database.execute(statement, parameters, deadline).catch(refuseWithoutSlot);
    return rows;
  };
  return {
    async fromRollups(scan, deadline) {
      const rows = await read(fromRollups, parametersOf(scan, writePointer), deadline);
      return rows.at(-1)?.[6] === true ? toAggregate(rows) : undefined;
    },
    async fromEvents(scan, deadline) {
      const rows = await read(
        fromEvents,
        parametersOf(scan, (path) => path),
        deadline,
      );
      const [, , , , , , scanned, before] = rows.at(-1) ?? [];
      const droppedBefore = typeof before === "string" ? Number(before) : undefined;
      return { ...toAggregate(rows), scanned: Number(scanned), droppedBefore };
    },
  };
}

/** Each place is sent once, and measures name it by its number. */
function parametersOf(
  { tenant, allowed, filter, from, to, every, timeZone, fields, measures }: AggregateScan,
  writePlace: (path: readonly string[]) => unknown,
): Record<string, string | null> {
  const bound: string[] = [];
  const condition = filter === undefined ? null : toSql(filter, bound);
  if (condition !== null && !isBoundSql(condition)) {
    throw new TypeError("The condition of a filter has text that is not bound.");
  }
  const places = new Map(
    measures.flatMap((measure) => (measure === "count" ? [] : [[writePointer(measure.path), measure.path] as const])),
  );
  const numbers = new Map([...places.keys()].map((pointer, index) => [pointer, index + 1]));
  const toPair = (measure: Measure) =>
    measure === "count" ? ["events", 0] : [measure.function, numbers.get(writePointer(measure.path))];
  return {
    tenant,
    from,
    to,
    every: every ?? null,
    zone: timeZone,
    fields: JSON.stringify(fields),
    places: JSON.stringify([...places.values()].map(writePlace)),
    measures: JSON.stringify(measures.map(toPair)),
    condition,
    bound: JSON.stringify(bound),
    types: toTextArray(allowed.types),
    sources: toTextArray(allowed.sources),
  };
}

/** The last row is about all of them. */
function toAggregate(rows: SqlValue[][]): Aggregate {
  const answers = rows.slice(0, -1);
  return {
    rows: answers.map(toRow),
    whole: Number(answers[0]?.[4] ?? 0),
    reached: Number(rows.at(-1)?.[5]),
  };
}

function toRow([start, wall, groups, measured]: SqlValue[]): AggregateRow {
  return {
    bucket: writeInstant(Number(start), Number(wall)),
    groups: String(groups),
    measured: JSON.parse(String(measured)) as (string | null)[],
  };
}

/** An instant with the time zone's offset, for example `2026-03-29T00:00:00+01:00`; times of receipt may have milliseconds. */
function writeInstant(start: number, wall: number): string {
  const local = new Date(Math.round(wall * 1_000)).toISOString().replace(/(?:\.000)?Z$/, "");
  const minutes = Math.round((wall - start) / 60);
  if (minutes === 0) return `${local}Z`;
  const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((each) =>
    String(each).padStart(2, "0"),
  );
  return `${local}${minutes < 0 ? "-" : "+"}${hour}:${minute}`;
}
