import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { quantiles } from "../../cli/quantiles.ts";
import { RETENTION_DAYS } from "../../functions/core/retention.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { measureThroughput, probeAtRate } from "../pipeline/measure.ts";
import { type Pipeline, startPipeline } from "../pipeline/pipeline.ts";
import { CLASSES, DAYS, loadClasses } from "./load-classes.ts";

/** B18. */
export const retentionBenchmark: Benchmark = {
  name: "retention",
  title: "Dropping days under ingest",
  about:
    `Events of some 330 B over ${DAYS} days of three classes (${CLASSES.join(", ")}) in the whole stack, which ingests at a quarter of its ` +
    "maximum rate meanwhile. A run of retention drops the days of the shortest class that are over: it detaches their tables, deletes their " +
    "keys and drops them. Every probe before and behind the run, and every probe during it, are one sample each. It fails where a " +
    "row of another class or day is missing, a key is left, or the space that is free is not that of the tables.",
  run: measureRetention,
};

const ROWS = 10_000_000;
const QUICK_ROWS = 200_000;
const SHAPE = { perRequest: 100, eventBytes: 1_024 };
const ROUND_SECONDS = 10;
/** Samples without retention, half of them before it. */
const ROUNDS_WITHOUT = 6;

async function measureRetention({ rows: wanted, quick, log }: BenchOptions): Promise<BenchReport> {
  const rows = wanted ?? (quick ? QUICK_ROWS : ROWS);
  const pipeline = await startPipeline("ours");
  try {
    const { eventsPerSecond: most } = await measureThroughput(pipeline, { ...SHAPE, events: quick ? 10_000 : 40_000 });
    await pipeline.reset();
    const eventsPerSecond = Math.floor(most / 4 / SHAPE.perRequest) * SHAPE.perRequest;
    const started = performance.now();
    await load(pipeline, rows);
    log(
      `${rows.toLocaleString("en-US")} rows loaded in ${seconds(started)} s; ${eventsPerSecond} events/s beside them`,
    );
    const before = await readState(pipeline);

    let ingested = 0;
    const probe = async () => {
      const { sent, probes } = await probeAtRate(pipeline, { ...SHAPE, eventsPerSecond, seconds: ROUND_SECONDS });
      ingested += sent.events + probes.length;
      return probes;
    };
    const samples = { without: [] as number[], during: [] as number[] };
    await probe();
    for (let round = 0; round < ROUNDS_WITHOUT / 2; round++) samples.without.push(...(await probe()));
    const runStarted = performance.now();
    await pipeline.sendStep("Retain");
    const run = untilDropped(pipeline).then(() => seconds(runStarted));
    const over = new AbortController();
    const end = () => over.abort();
    run.then(end, end);
    // The sample that it ends in has a part without it.
    for (let round = await probe(); !over.signal.aborted || samples.during.length === 0; round = await probe())
      samples.during.push(...round);
    const runSeconds = await run;
    for (let round = 0; round < ROUNDS_WITHOUT / 2; round++) samples.without.push(...(await probe()));

    await untilAllStored(pipeline, ingested);
    const dropped = compare(before, await readState(pipeline));
    const [without, during] = [quantiles(samples.without), quantiles(samples.during)];
    const megabytes = (bytes: number) => `${Math.round(bytes / 1_000_000).toLocaleString("en-US")} MB`;
    const notes = [
      `${rows.toLocaleString("en-US")} events, ${megabytes(dropped.bytesBefore)} with indexes. The run took ${runSeconds} s: ` +
        `${dropped.days} days of ${CLASSES[0]} with ${dropped.events.toLocaleString("en-US")} events, their keys, and ${megabytes(dropped.bytes)}, ` +
        `which is ${((100 * dropped.bytes) / dropped.bytesBefore).toFixed(1)} % of the space and ${((100 * dropped.events) / rows).toFixed(1)} % of the events. ` +
        "Of the other days and classes, every event and key is there.",
      `Probes: ${samples.without.length} without it, p99 ${Math.round(without.p99)} ms, and ${samples.during.length} during it, p99 ${Math.round(during.p99)} ms.`,
    ];
    for (const note of notes) log(note);
    return {
      series: [
        {
          shape: `${eventsPerSecond.toLocaleString("en-US")} events/s, 202 to readable`,
          unit: "s",
          contenders: [
            { name: "without retention, p99", figures: [without.p99 / 1_000] },
            { name: "during a run, p99", figures: [during.p99 / 1_000] },
            { name: "without retention, p50", figures: [without.p50 / 1_000] },
            { name: "during a run, p50", figures: [during.p50 / 1_000] },
          ],
        },
      ],
      checks: [
        {
          id: "B18",
          what: "202 to readable, p99, during a run of retention",
          against: "the same without it",
          ratios: [during.p99 / without.p99],
          floor: { atMost: 1.1 },
        },
      ],
      notes,
    };
  } finally {
    await pipeline.stop();
  }
}

async function load(pipeline: Pipeline, rows: number): Promise<void> {
  const clients = await Promise.all(
    [0, 1].map(async () => {
      const client = new Client(pipeline.postgres.url);
      await client.connect();
      return client;
    }),
  );
  try {
    const [first, second] = clients;
    if (first !== undefined && second !== undefined) await loadClasses([first, second], rows);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

async function untilDropped(pipeline: Pipeline): Promise<void> {
  for (;;) {
    const [left] = await pipeline.ask(
      "select count(*)::integer as days from retention_days where state not in ('open', 'dropped') or state = 'open' and class = $1 and day + 1 + class <= now() at time zone 'UTC'",
      [RETENTION_DAYS[CLASSES[0]]],
    );
    if (Number(left?.["days"]) === 0) return;
    await delay(500);
  }
}

/** @throws Error where not every event that was accepted meanwhile is stored within a minute */
async function untilAllStored(pipeline: Pipeline, events: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await delay(500)) {
    const [row] = await pipeline.ask(
      "select count(*)::integer as stored from events where received_at >= date_trunc('day', now(), 'UTC')",
    );
    if (row?.["stored"] === events) return;
    if (Date.now() > deadline)
      throw new Error(`${events} events were accepted, and ${String(row?.["stored"])} stored.`);
  }
}

/** Days before today, whose rows and sizes ingest does not change. */
type State = { tables: Map<string, { events: number; bytes: number; isDue: boolean }>; keys: Map<string, number> };

async function readState(pipeline: Pipeline): Promise<State> {
  const tables = await pipeline.ask(`
    select class || ' ' || day as place, class > 0 and day + 1 + class <= now() at time zone 'UTC' as due,
      pg_total_relation_size(to_regclass(day_table('events', class, day)))
        + pg_total_relation_size(to_regclass(day_table('event_fields', class, day))) as bytes
    from retention_days where state <> 'dropped' and day < cast(now() at time zone 'UTC' as date)`);
  const countsOf = async (table: string) =>
    new Map(
      (
        await pipeline.ask(
          `select retention || ' ' || cast(received_at at time zone 'UTC' as date) as place, count(*) as rows from ${table}
           where received_at < date_trunc('day', now(), 'UTC') group by 1`,
        )
      ).map(({ place, rows }) => [String(place), Number(rows)]),
    );
  const events = await countsOf("events");
  return {
    tables: new Map(
      tables.map(({ place, due, bytes }) => [
        String(place),
        { events: events.get(String(place)) ?? 0, bytes: Number(bytes), isDue: due === true },
      ]),
    ),
    keys: await countsOf("event_keys"),
  };
}

/** The days that a run has dropped. @throws Error where they are not exactly those that were due */
function compare(before: State, after: State) {
  const dropped = { days: 0, events: 0, bytes: 0, bytesBefore: 0 };
  for (const [place, { events, bytes, isDue }] of before.tables) {
    const left = after.tables.get(place);
    dropped.bytesBefore += bytes;
    const keys = after.keys.get(place) ?? 0;
    const isRight = isDue
      ? left === undefined && keys === 0
      : left?.events === events && left.bytes === bytes && keys === events;
    if (!isRight)
      throw new Error(
        `${place} ${isDue ? "is due" : "is kept"}: ${JSON.stringify({ events, bytes })} before, ${JSON.stringify(left)} and ${keys} keys behind.`,
      );
    if (!isDue) continue;
    dropped.events += events;
    dropped.bytes += bytes;
    if (events > 0) dropped.days += 1;
  }
  if (dropped.events === 0) throw new Error("No day was dropped.");
  return dropped;
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 1_000);
