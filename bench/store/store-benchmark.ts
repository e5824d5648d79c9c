import { v7 as uuidV7 } from "uuid";
import { CHUNK_MAX_EVENTS } from "../../functions/core/database-limits.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { makeEvent } from "../events.ts";
import { type Contender, measureAlternately, ratios } from "../rounds.ts";
import { type BenchDatabase, startBenchDatabase } from "./bench-database.ts";
import { runStep, STEPS, toLines } from "./steps.ts";
import { consume, copy, createConsumer, insertEach, makeRecordsTable, toCopyText, toMessages } from "./writers.ts";

/** B3 and B4. */
export const storeBenchmark: Benchmark = {
  name: "store",
  title: "Writing events",
  about:
    "The consumer's rule as deployed (reading envelopes, exactly once, bad events found by the same call) over one " +
    "connection to PostgreSQL, without the Data API in between; against `COPY` of the same rows into the same table " +
    "with its index but without keys, and against one `insert … on conflict do nothing` per record into a table with a " +
    "primary key. The data of `COPY` and of the inserts is prepared before the clock starts; the consumer makes its own.",
  run: measureStore,
};

/** The size of one round, which takes the consumer some tenths of a second. */
const ROUND_BYTES = 8_000_000;
const MOST_ROWS = 10_000;
/** The naive contenders are slow enough to be measured with fewer rows. */
const RECORDS = 1_000;
const CONNECTIONS = 10;

const SHAPES = [
  { eventBytes: 400, batch: 1_000 },
  { eventBytes: 1_024, batch: 1_000 },
  { eventBytes: 1_024, batch: 100 },
  { eventBytes: 8_192, batch: 100 },
  { eventBytes: 49_152, batch: 10 },
];

const PROFILE =
  "Where the time goes, for the first shape: the consumer reads envelopes and makes rows in Node; its statement " +
  "converts JSON into rows, which `COPY` gets as text; and each event has a second row, its key, in a table with a unique " +
  "index. The last three lines leave these out one after the other.";

async function measureStore(options: BenchOptions): Promise<BenchReport> {
  const bench = await startBenchDatabase();
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => bench.connect()));
  try {
    await bench.client.query(makeRecordsTable);
    const report: BenchReport = { series: [], checks: [], notes: options.quick ? [] : [PROFILE] };
    for (const shape of options.quick ? SHAPES.slice(0, 1) : SHAPES) {
      const { eventBytes, batch } = shape;
      const name = `${eventBytes} B, ${batch} a message`;
      options.log(name);
      const writers = writersOf(bench, clients, shape);
      const isProfiled = eventBytes === SHAPES[0]?.eventBytes && !options.quick;
      const contenders = isProfiled ? [...writers, ...stepsOf(bench, shape)] : writers;
      const series = await measureAlternately(name, "events/s", contenders, { rounds: options.rounds, warmUps: 2 });
      report.series.push(series);
      if (eventBytes !== SHAPES[0]?.eventBytes) continue;
      report.checks.push(
        {
          id: "B3",
          what: "consumer",
          against: "COPY",
          ratios: ratios(series, "consumer", "COPY"),
          floor: { atLeast: 0.6 },
          reached: {
            bound: 0.3,
            because:
              "the statement alone takes 1.6 times the processor time of COPY: a sixth of it for the key's row and index entry, a " +
              "tenth for feed and rollups, an eighth for blocks and because COPY inserts many rows at once. Node takes 0.8 of the " +
              "statement's time for reading messages and writing lines: beside the statement where a second core is free, all but " +
              "the first chunk; where none is, the ratio is that of the sums, 0.4",
          },
        },
        {
          id: "B4a",
          what: "consumer",
          against: "one insert per record, one connection",
          ratios: ratios(series, "consumer", "insert each"),
          floor: { atLeast: 15 },
          reached: {
            bound: 8,
            because: "the statement alone would keep it; reading messages and writing lines take the rest",
          },
        },
        {
          id: "B4b",
          what: "consumer",
          against: `one insert per record, ${CONNECTIONS} connections`,
          ratios: ratios(series, "consumer", `insert each, ${CONNECTIONS} connections`),
          floor: { atLeast: 4.5 },
          reached: { bound: 2.5, because: "the other side has ten times as many processes to work in, on two cores" },
        },
      );
    }
    return report;
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await bench.remove();
  }
}

function writersOf(
  { client, database }: BenchDatabase,
  clients: Parameters<typeof insertEach>[0],
  { eventBytes, batch }: (typeof SHAPES)[number],
): Contender[] {
  const rule = createConsumer(database);
  const rows = Math.min(MOST_ROWS, Math.floor(ROUND_BYTES / eventBytes));
  const makeEvents = (count: number) => makeMany(count, eventBytes);
  return [
    {
      name: "consumer",
      round: () => {
        const messages = toMessages(makeEvents(rows), batch);
        return perSecond(rows, () => consume(rule, messages, { stored: rows }));
      },
    },
    {
      name: "COPY",
      round: () => {
        const text = toCopyText(makeEvents(rows));
        return perSecond(rows, () => copy(client, text));
      },
    },
    {
      name: "insert each",
      round: () => {
        const events = makeEvents(Math.min(rows, RECORDS));
        return perSecond(events.length, () => insertEach([client], events));
      },
    },
    {
      name: `insert each, ${CONNECTIONS} connections`,
      round: () => {
        const events = makeEvents(Math.min(rows, RECORDS));
        return perSecond(events.length, () => insertEach(clients, events));
      },
    },
  ];
}

/** The consumer's statement and its reduced forms, over the same connection. */
function stepsOf({ client }: BenchDatabase, { eventBytes }: (typeof SHAPES)[number]): Contender[] {
  const step = (name: string, sql: string): Contender => ({
    name,
    round: () => {
      const calls = Array.from({ length: MOST_ROWS / CHUNK_MAX_EVENTS }, () =>
        toLines(makeMany(CHUNK_MAX_EVENTS, eventBytes)),
      );
      return perSecond(MOST_ROWS, () => runStep(client, sql, calls));
    },
  });
  return [
    step("its statement alone", STEPS.statement),
    step("the same without keys", STEPS.rows),
    step("reading the JSON alone", STEPS.reading),
  ];
}

function makeMany(count: number, eventBytes: number) {
  return Array.from({ length: count }, (_, serial) => makeEvent(serial, eventBytes, uuidV7()));
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (1_000 * count) / (performance.now() - started);
}
