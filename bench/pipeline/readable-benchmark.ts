import { CONSUME_WINDOW_SECONDS } from "../../functions/core/limits.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { measureReadable, measureThroughput } from "./measure.ts";
import { startPipeline } from "./pipeline.ts";

/** B6. */
export const readableBenchmark: Benchmark = {
  name: "readable",
  title: "From accepted to readable",
  about:
    "Half of the maximum rate of this machine, constant and independent of the answers. Probes among the other events measure " +
    "how long after its 202 an event can be read. The batch window of the event source " +
    `(${CONSUME_WINDOW_SECONDS} s) is part of it.`,
  run: runReadable,
};

const SHAPE = { perRequest: 100, eventBytes: 1_024 };

async function runReadable({ rounds, quick, log }: BenchOptions): Promise<BenchReport> {
  const pipeline = await startPipeline("ours");
  try {
    const events = quick ? 10_000 : 40_000;
    await measureThroughput(pipeline, { ...SHAPE, events });
    const { eventsPerSecond: most } = await measureThroughput(pipeline, { ...SHAPE, events });
    const eventsPerSecond = Math.floor(most / 2 / SHAPE.perRequest) * SHAPE.perRequest;
    log(`${eventsPerSecond} events/s`);
    const figures = { p50: [] as number[], p99: [] as number[], answer: [] as number[] };
    for (let round = 0; round < (quick ? 1 : rounds); round++) {
      const { acceptedToReadableMs, answerMs } = await measureReadable(pipeline, {
        ...SHAPE,
        eventsPerSecond,
        seconds: 10,
      });
      figures.p50.push(acceptedToReadableMs.p50 / 1_000);
      figures.p99.push(acceptedToReadableMs.p99 / 1_000);
      figures.answer.push(answerMs.p99 / 1_000);
    }
    const windowSeconds = CONSUME_WINDOW_SECONDS;
    return {
      series: [
        {
          shape: `half load: ${eventsPerSecond.toLocaleString("en-US")} events/s`,
          unit: "s",
          contenders: [
            { name: "readable after, p99", figures: figures.p99 },
            { name: "readable after, p50", figures: figures.p50 },
            { name: "answered after, p99", figures: figures.answer },
          ],
        },
      ],
      checks: [
        {
          id: "B6",
          what: "202 to readable, p99",
          against: "batch window + 1 s",
          ratios: figures.p99.map((seconds) => seconds / (windowSeconds + 1)),
          floor: { atMost: 1 },
        },
      ],
      notes: [],
    };
  } finally {
    await pipeline.stop();
  }
}
