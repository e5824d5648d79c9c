import { v7 as uuidV7 } from "uuid";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { type BenchEvent, makeEvent } from "../events.ts";
import { measureAlternately, ratios } from "../rounds.ts";
import { startBenchDatabase } from "./bench-database.ts";
import { consume, createConsumer, toMessages } from "./writers.ts";

/** B7. */
export const refusedBenchmark: Benchmark = {
  name: "refused",
  title: "One bad event among ten thousand",
  about:
    "One invocation of the consumer with 10,000 events of 1 KB in messages of 100: all good, or one that a constraint of " +
    "the table refuses. The second clean batch shows the difference between two equal measurements.",
  run: measureRefused,
};

const EVENTS = 10_000;
const PER_MESSAGE = 100;
const EVENT_BYTES = 1_024;

async function measureRefused({ rounds, quick, log }: BenchOptions): Promise<BenchReport> {
  const bench = await startBenchDatabase();
  try {
    await bench.client.query("alter table events add constraint no_refused check (subject is distinct from 'refused')");
    const rule = createConsumer(bench.database);
    const batch = (bad: number) => async () => {
      const events = Array.from({ length: EVENTS }, (_, serial) => makeEvent(serial, EVENT_BYTES, uuidV7()));
      // A random position in each round.
      const at = Math.floor(Math.random() * (EVENTS - bad));
      const sent = events.map((event, index) => (index < at || index >= at + bad ? event : toRefused(event)));
      const messages = toMessages(sent, PER_MESSAGE);
      const started = performance.now();
      await consume(rule, messages, { stored: EVENTS - bad, dead: bad });
      return performance.now() - started;
    };
    const contenders = [
      { name: "clean", round: batch(0) },
      { name: "one bad", round: batch(1) },
      { name: "clean again", round: batch(0) },
    ];
    log(`${EVENTS} events of ${EVENT_BYTES} B`);
    // The ratio is close to its bound and a round is fast, so run more rounds.
    const series = await measureAlternately("10,000 events of 1,024 B", "ms", contenders, {
      rounds: quick ? rounds : 2 * rounds + 1,
      warmUps: 2,
    });
    return {
      series: [series],
      checks: [
        {
          id: "B7",
          what: "one bad event in 10,000",
          against: "a clean batch",
          ratios: ratios(series, "one bad", "clean"),
          floor: { atMost: 1.15 },
        },
      ],
      notes: [],
    };
  } finally {
    await bench.remove();
  }
}

const toRefused = (event: BenchEvent) => ({ ...event, subject: "refused" });
