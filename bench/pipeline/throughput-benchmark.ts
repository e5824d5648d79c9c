import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { measureAlternately, ratios } from "../rounds.ts";
import { measureThroughput } from "./measure.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

/** B5. */
export const throughputBenchmark: Benchmark = {
  name: "throughput",
  title: "End to end",
  about:
    "From the first request to the last row, with all parts on this machine: API, functions in their own processes, queue, " +
    "Data API, PostgreSQL, load. The naive stack is the usual sample (bench/naive): one message per event, ten messages per " +
    "batch, one insert per record through the Data API. Both get events of 1 KB, 100 a request.",
  run: runThroughput,
};

const EVENT_BYTES = 1_024;
const PER_REQUEST = 100;
/** Enough events for some seconds. */
const EVENTS = { ours: 40_000, naive: 2_000 };
const QUICK_EVENTS = { ours: 10_000, naive: 600 };

async function runThroughput({ rounds, quick, log }: BenchOptions): Promise<BenchReport> {
  const pipelines: Pipeline[] = [];
  const start = async (kind: "ours" | "naive") => {
    const pipeline = await startPipeline(kind);
    pipelines.push(pipeline);
    return pipeline;
  };
  try {
    const [ours, naive] = [await start("ours"), await start("naive")];
    const events = quick ? QUICK_EVENTS : EVENTS;
    const round = (pipeline: Pipeline) => async () => {
      const shape = { events: events[pipeline.kind], perRequest: PER_REQUEST, eventBytes: EVENT_BYTES };
      return (await measureThroughput(pipeline, shape)).eventsPerSecond;
    };
    log(`${events.ours} and ${events.naive} events a round`);
    const contenders = [
      { name: "Sluice", round: round(ours) },
      { name: "naive", round: round(naive) },
    ];
    const series = await measureAlternately("1,024 B, 100 a request", "events/s", contenders, { rounds, warmUps: 1 });
    return {
      series: [series],
      checks: [
        {
          id: "B5",
          what: "Sluice end to end",
          against: "one event, one message, one insert",
          ratios: ratios(series, "Sluice", "naive"),
          floor: { atLeast: 20 },
          reached: {
            bound: 8,
            because:
              "of 141 µs of processor time an event, ingest and the consumer take a quarter each, the local API Gateway, event " +
              "source and Data API a fifth, PostgreSQL a sixth and the queue a thirteenth; the naive stack takes 2,000 µs, most " +
              "of it for sequential calls of queue and database",
          },
        },
      ],
      notes: [],
    };
  } finally {
    await Promise.all(pipelines.map((pipeline) => pipeline.stop()));
  }
}
