import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { v7 as uuidV7 } from "uuid";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createListReader } from "../../functions/adapters/data-api/list-reader.ts";
import { CHUNK_MAX_EVENTS, PARTITION_DAYS_AT_ONCE } from "../../functions/core/database-limits.ts";
import { LIST_BUDGET_MS, LIST_DEFAULT_EVENTS } from "../../functions/core/list-limits.ts";
import { TENANT_MAX_QUERIES } from "../../functions/core/query-load-limits.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { makeEvent } from "../events.ts";
import type { Series } from "../rounds.ts";
import { type BenchDatabase, startBenchDatabase } from "./bench-database.ts";
import { runStep, STEPS, toLines } from "./steps.ts";

export const scaleBenchmark: Benchmark = {
  name: "scale",
  title: "More and more events",
  about:
    "One tenant's events of 400 B, with ids by time, stored day by day over 72 days; at each step what the next call costs: a chunk of " +
    `${CHUNK_MAX_EVENTS.toLocaleString("en-US")} events behind the last one, with ids by time and with random ones; the newest page ` +
    `of ${LIST_DEFAULT_EVENTS} events, and an event by its id from anywhere; and a vacuum of \`event_keys\` behind ` +
    `${CHUNK_MAX_EVENTS.toLocaleString("en-US")} deleted keys, as retention leaves them. Over one connection, with the 128 MB of shared ` +
    "buffers that PostgreSQL has by default. `--rows 100000000` goes on to ten times as many events, on ten times the disk.",
  run: measureScale,
};

const ROWS = 10_000_000;
const QUICK_ROWS = 100_000;
/** Steps of the figures, as far as there are so many rows. */
const STEPS_OF_ROWS = [10_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000];
const FEWEST_OF_MOST = 100;
const EVENT_BYTES = 400;
/** No step ends with a day, so the next chunk finds a table and index of some size. */
const DAYS = 71.4;
const DAY_MS = 86_400_000;
const READS = 50;
const VACUUMS = 3;

async function measureScale({ rounds, quick, rows, log }: BenchOptions): Promise<BenchReport> {
  const most = rows ?? (quick ? QUICK_ROWS : ROWS);
  const steps = STEPS_OF_ROWS.filter((step) => step < most && step * FEWEST_OF_MOST >= most).concat(most);
  const first = Math.floor(Date.now() / DAY_MS - Math.ceil(DAYS)) * DAY_MS;
  const clock: Clock = { first, perEvent: (DAYS * DAY_MS) / most };
  const bench = await startBenchDatabase();
  try {
    await makeDays(bench.client, first);
    const series = FIGURES.map(({ shape, unit }): Series => ({ shape, unit, contenders: [] }));
    let stored = 0;
    for (const step of steps) {
      const started = performance.now();
      await fill(bench, stored, step, clock);
      stored = step;
      await bench.client.query("vacuum analyze events, event_keys, event_transactions, rollup_deltas");
      const name = `${step.toLocaleString("en-US")} events stored`;
      log(`${name}, filled in ${Math.round((performance.now() - started) / 1_000)} s`);
      const place: Place = { bench, step, clock, rounds };
      for (const [index, { measure }] of FIGURES.entries())
        series[index]?.contenders.push({ name, figures: await measure(place) });
    }
    return { series, checks: [], notes: [WHAT_BENDS] };
  } finally {
    await bench.remove();
  }
}

const WHAT_BENDS =
  "What bends the curves: ids by time go to the last pages of each index, so a chunk costs nearly the same however much is stored; " +
  "random ids go to any page of `event_keys`, a page for nearly each key, and once that table and its index are larger than the memory of " +
  "the database each of them is read first and written whole behind the next checkpoint. A vacuum of `event_keys` reads the whole index for whatever " +
  "was deleted, so its time grows with the keys, and retention therefore deletes by the thousand before it vacuums. Pages and single events " +
  "are found by indexes of one more level for each hundred times as many.";

/** The state of the database in which a figure is measured. */
type Place = { bench: BenchDatabase; step: number; clock: Clock; rounds: number };

/** The time of the first event, and between two, in milliseconds. */
type Clock = { first: number; perEvent: number };

const timeOf = (serial: number, { first, perEvent }: Clock) => Math.floor(first + serial * perEvent);

/** As FILL makes it. */
function idOf(serial: number, clock: Clock): string {
  const hex = (value: number) => value.toString(16).padStart(12, "0");
  const ms = hex(timeOf(serial, clock));
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-${hex(serial)}`;
}

type Figure = { shape: string; unit: string; measure: (place: Place) => Promise<number[]> };

const FIGURES: readonly Figure[] = [
  {
    shape: "a chunk, ids by time",
    unit: "ms",
    measure: (place) => chunks(place, (at, number) => uuidV7({ msecs: at, seq: number })),
  },
  { shape: "a chunk, random ids", unit: "ms", measure: (place) => chunks(place, () => randomUUID()) },
  { shape: "the newest page", unit: "ms", measure: newestPages },
  { shape: "an event by its id", unit: "ms", measure: eventsById },
  { shape: "event_keys with its index, an event", unit: "B", measure: keyBytes },
  { shape: "a vacuum of event_keys", unit: "s", measure: vacuums },
];

async function makeDays(client: Client, first: number): Promise<void> {
  const dayOf = (number: number) => new Date(first + number * DAY_MS).toISOString();
  for (let day = 0; day <= DAYS; day += PARTITION_DAYS_AT_ONCE)
    await client.query("select ensure_event_partitions($1, $2)", [dayOf(day), dayOf(day + PARTITION_DAYS_AT_ONCE - 1)]);
}

/** Stores the events of some serial numbers by the functions of the store statement, over two connections. */
async function fill(
  { client, connect }: BenchDatabase,
  from: number,
  to: number,
  { first, perEvent }: Clock,
): Promise<void> {
  const second = await connect();
  let next = from;
  const store = async (connection: Client) => {
    for (let serial = next; serial < to; serial = next) {
      const size = Math.min(CHUNK_MAX_EVENTS, to - serial);
      next = serial + size;
      await connection.query({ name: "fill", text: FILL, values: [serial, size, first, perEvent] });
    }
  };
  try {
    await Promise.all([store(client), store(second)]);
  } finally {
    await second.end();
  }
}

/** The first serial number, the number of events, and the clock. */
const FILL = `
  select insert_all_new(
    array_agg(cast(row(
      'default', left(lpad(to_hex(ms), 12, '0'), 8) || '-' || right(lpad(to_hex(ms), 12, '0'), 4) || '-7000-8000-' || lpad(to_hex(serial), 12, '0'),
      '/shops/' || serial % 12, 'com.example.order.placed', null, at, null, at, null, null, null, null, null
    ) as event_head)),
    array_agg('{"orderId":"o-' || serial || '","customerId":"c-' || serial % 977 || '","currency":"EUR","note":"' || repeat(md5(serial::text), 4) || '"}')
  )
  from (
    select serial, ms, to_timestamp(ms / 1000.0) as at from (
      select serial, floor($3::float8 + serial * $4::float8)::bigint as ms
      from (select $1::bigint + number as serial from generate_series(0, $2::integer - 1) as number) as numbered
    ) as timed
  ) as made`;

/** Milliseconds of each chunk. */
async function chunks(
  { bench: { client }, step, clock, rounds }: Place,
  makeId: (at: number, number: number) => string,
): Promise<number[]> {
  const at = timeOf(step, clock);
  const figures: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const events = Array.from({ length: CHUNK_MAX_EVENTS }, (_, number) =>
      makeEvent(number, EVENT_BYTES, makeId(at, number)),
    );
    figures.push(await milliseconds(() => runStep(client, STEPS.statement, [toLines(events, new Date(at))])));
  }
  return figures.slice(1);
}

async function newestPages({ bench: { connectReader }, rounds }: Place): Promise<number[]> {
  const { client, database } = await connectReader();
  try {
    const lists = createListReader(database, { maxOfTenant: TENANT_MAX_QUERIES });
    const page = async () => {
      const { events } = await lists.list(NEWEST, Date.now() + 60_000);
      if (events.length !== LIST_DEFAULT_EVENTS) throw new Error(`The page has ${events.length} events.`);
    };
    await page();
    return await repeated(rounds, () => milliseconds(page));
  } finally {
    await client.end();
  }
}

const NEWEST: Parameters<ReturnType<typeof createListReader>["list"]>[0] = {
  tenant: "default",
  allowed: { types: undefined, sources: undefined },
  filter: undefined,
  ids: undefined,
  received: { from: undefined, to: undefined },
  produced: { from: undefined, to: undefined },
  isNewestFirst: true,
  horizon: undefined,
  after: undefined,
  maxEvents: LIST_DEFAULT_EVENTS,
  count: "none",
  budgetMs: LIST_BUDGET_MS,
};

/** The mean time of some events. */
async function eventsById({ bench, step, clock, rounds }: Place): Promise<number[]> {
  const { client, database } = await bench.connectReader();
  try {
    const reader = createEventReader(database);
    return await repeated(rounds, async () => {
      // The ids of fill, of serial numbers from anywhere.
      const ids = Array.from({ length: READS }, () => idOf(Math.floor(Math.random() * step), clock));
      const sum = await milliseconds(async () => {
        for (const id of ids) {
          const found = await reader.find(
            { tenant: "default", id, source: undefined, allowed: undefined },
            Date.now() + 60_000,
          );
          if (found.kind !== "found") throw new Error(`${id} is ${found.kind}.`);
        }
      });
      return sum / ids.length;
    });
  } finally {
    await client.end();
  }
}

async function keyBytes({ bench: { client } }: Place): Promise<number[]> {
  const { rows } = await client.query<{ bytes: number }>(`
    select sum(pg_total_relation_size(inhrelid))::float8 / (select count(*) from event_keys) as bytes
    from pg_inherits where inhparent = 'event_keys'::regclass`);
  return rows.map(({ bytes }) => bytes);
}

/** Seconds of each vacuum. */
function vacuums({ bench: { client } }: Place): Promise<number[]> {
  return repeated(VACUUMS, async () => {
    await client.query(DELETE_RANDOM_KEYS);
    return (await milliseconds(() => client.query("vacuum (index_cleanup on) event_keys"))) / 1_000;
  });
}

/** Of the chunks with random ids, nearly all of which come behind those by time. */
const DELETE_RANDOM_KEYS = `
  delete from event_keys where (tenant, id) in (
    select tenant, id from event_keys where tenant = 'default' and id > '02' order by tenant, id limit ${CHUNK_MAX_EVENTS}
  )`;

async function repeated(times: number, measure: () => Promise<number>): Promise<number[]> {
  const figures: number[] = [];
  for (let time = 0; time < times; time++) figures.push(await measure());
  return figures;
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
