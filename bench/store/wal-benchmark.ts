import { randomUUID } from "node:crypto";
import { v7 as uuidV7 } from "uuid";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { EVENT_BYTES, makeEvent } from "../events.ts";
import { measureAlternately } from "../rounds.ts";
import { startBenchDatabase } from "./bench-database.ts";
import { consume, createConsumer, toMessages } from "./writers.ts";

/** B9. */
export const walBenchmark: Benchmark = {
  name: "wal",
  title: "Bytes the database writes",
  about:
    "Write-ahead log per byte of an event as it was sent (JSON with all attributes). Ids are in the order of time, as " +
    "Sluice generates them, or random, as many clients send them. PostgreSQL's copies of full pages after a checkpoint " +
    "count here; Aurora writes none, so its figure is lower.",
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
        what: "WAL bytes",
        against: "event bytes, at 1 KB",
        ratios: series.contenders[0]?.figures ?? [],
        floor: { atMost: 1.35 },
        reached: {
          bound: 2,
          because:
            "the key's row and index entry, some 300 B an event, are the price of exactly once without a window, and `jsonb` " +
            "takes more room than JSON for numbers and short members",
        },
      });
    }
    return report;
  } finally {
    await bench.remove();
  }
}
