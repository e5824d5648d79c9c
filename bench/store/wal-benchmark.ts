import { randomUUID } from "node:crypto";
import { v7 as uuidV7 } from "uuid";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { EVENT_BYTES, makeEvent } from "../events.ts";
import { measureAlternately, ratios } from "../rounds.ts";
import { type BenchDatabase, startBenchDatabase } from "./bench-database.ts";
import { runStep, STEPS, toLines } from "./steps.ts";
import { consume, createConsumer, toMessages } from "./writers.ts";

/** B9 and B18. */
export const walBenchmark: Benchmark = {
  name: "wal",
  title: "Bytes the database writes",
  about:
    "Write-ahead log per byte of an event as it was sent (JSON with all attributes). Ids are in the order of time, as " +
    "Sluice generates them, or random, as many clients send them. PostgreSQL's copies of full pages after a checkpoint " +
    "count here; Aurora writes none, so its figure is lower. The last shapes are chunks of so many events of four types, with " +
    "the rows and indexes of the feed, the rollups (docs/decisions/0028-a-delta-a-minute.md) and the ledger, and without them.",
  run: measureWal,
};

const PER_MESSAGE = 100;
const ROUND_BYTES = 8_000_000;
const FLOOR_BYTES = 1_024;

async function measureWal({ rounds, quick, log }: BenchOptions): Promise<BenchReport> {
  const bench = await startBenchDatabase();
  try {
    const rule = createConsumer(bench.database);
    const report: BenchReport = { series: [], checks: [], notes: [] };
    for (const eventBytes of quick ? [FLOOR_BYTES] : EVENT_BYTES) {
      log(`${eventBytes} B`);
      const count = Math.floor(ROUND_BYTES / eventBytes);
      const contender = (name: string, makeId: () => string) => {
        return {
          name,
          round: async () => {
            const events = Array.from({ length: count }, (_, serial) => makeEvent(serial, eventBytes, makeId()));
            const sentBytes = events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0);
            const messages = toMessages(events, PER_MESSAGE);
            const before = await bench.walBytes();
            await consume(rule, messages, { stored: count });
            return ((await bench.walBytes()) - before) / sentBytes;
          },
        };
      };
      const contenders = [contender("ids by time (UUIDv7)", uuidV7), contender("random ids (UUIDv4)", randomUUID)];
      const series = await measureAlternately(`${eventBytes} B`, "WAL bytes per event byte", contenders, {
        rounds,
        warmUps: 1,
      });
      report.series.push(series);
      if (eventBytes !== FLOOR_BYTES) continue;
      report.checks.push({
        id: "B9",
        what: "WAL bytes, feed and rollups included",
        against: "event bytes, at 1 KB",
        ratios: series.contenders[0]?.figures ?? [],
        floor: { atMost: 1.8 },
      });
    }
    await measureChunks(rounds, report);
    return report;
  } finally {
    await bench.remove();
  }
}

/** Events of a chunk, and the ratio that is reached where the wanted one is not. */
const CHUNKS = [
  { size: 1, reached: 1.31 },
  { size: 5, reached: 1.12 },
  { size: 20, reached: undefined },
  { size: 100, reached: undefined },
  { size: 1_000, reached: undefined },
];
const CHUNK_ROUND_EVENTS = 1_000;

const WITH = "with feed, rollups and ledger";

/** In two new databases, so that both have stored as much. */
async function measureChunks(rounds: number, { series, checks }: BenchReport): Promise<void> {
  const [whole, bare] = [await startBenchDatabase(), await startBenchDatabase()];
  try {
    await storeEventsAlone(bare);
    for (const { size, reached } of CHUNKS) {
      const contender = (name: string, statement: string, { client, walBytes }: BenchDatabase) => ({
        name,
        round: async () => {
          const calls = Array.from({ length: CHUNK_ROUND_EVENTS / size }, () =>
            toLines(Array.from({ length: size }, (_, serial) => makeEvent(serial, FLOOR_BYTES, uuidV7()))),
          );
          const before = await walBytes();
          await runStep(client, statement, calls);
          return ((await walBytes()) - before) / CHUNK_ROUND_EVENTS;
        },
      });
      const measured = await measureAlternately(
        `chunks of ${size} events`,
        "WAL bytes an event",
        [contender(WITH, STEPS.numbered, whole), contender("without", STEPS.statement, bare)],
        { rounds, warmUps: 1 },
      );
      series.push(measured);
      checks.push({
        id: "B18",
        what: `WAL with feed, rollups and ledger, chunks of ${size}`,
        against: "without",
        ratios: ratios(measured, WITH, "without"),
        floor: { atMost: 1.05 },
        ...(reached !== undefined && {
          reached: { bound: reached, because: "three rows and three index entries a transaction, whatever it stores" },
        }),
      });
    }
  } finally {
    await whole.remove();
    await bare.remove();
  }
}

/** Takes the rows of the feed and the rollups out of the store statement. */
async function storeEventsAlone({ client }: BenchDatabase): Promise<void> {
  const { rows } = await client.query<{ text: string }>(
    "select pg_get_functiondef(cast('insert_events' as regproc)) as text",
  );
  const [whole = ""] = rows.map(({ text }) => text);
  const without = whole.replace(/\n {2}noted as [^;]*\n {2}\)\n {2}select/, "\n  none as (select)\n  select");
  if (without.includes("event_transactions") || without.includes("rollup_deltas"))
    throw new Error("insert_events has changed: change how its feed and rollups are left out.");
  await client.query(without);
}
