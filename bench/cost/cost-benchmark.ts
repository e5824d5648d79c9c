import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { costPerMillion } from "./cost-per-million.ts";

/** B10. */
export const costBenchmark: Benchmark = {
  name: "cost",
  title: "Dollars per million events",
  about:
    "Computed from one counted run on this machine, as by `npm run cost`: [every component, price and assumption](cost.md). " +
    "Events of 1 KB, 100 a request.",
  run: runCost,
};

async function runCost({ quick, log }: BenchOptions): Promise<BenchReport> {
  log("two counted runs");
  const shape = { eventBytes: 1_024, batch: 100, rate: 1_000, seconds: quick ? 3 : 10 };
  const { sluice, naive, alternatives } = await costPerMillion(shape);
  const designs = [sluice, naive, ...alternatives];
  return {
    series: [
      {
        shape: "1,024 B, 100 a request",
        unit: "dollars per million",
        contenders: designs.map(({ name, total }) => ({ name, figures: [total] })),
      },
    ],
    checks: [
      {
        id: "B10a",
        what: "dollars per million events",
        against: "naive",
        ratios: [sluice.total / naive.total],
        floor: { atMost: 0.1 },
        reached: { bound: 0.3, because: "API Gateway, logs and Aurora's writes are paid by both" },
      },
      {
        id: "B10b",
        what: "dollars per million events",
        against: "$1",
        ratios: [sluice.total],
        floor: { atMost: 0.15 },
        reached: {
          bound: 0.25,
          because: "two fifths are Aurora's writes, a sixth is the REST API ([decision 1](decisions/README.md))",
        },
      },
    ],
    notes: [],
  };
}
