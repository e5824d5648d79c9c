import type { Benchmark, BenchOptions, BenchReport, Check } from "../benchmark.ts";
import { type CostReport, costPerMillion } from "./cost-per-million.ts";

/** B10. */
export const costBenchmark: Benchmark = {
  name: "cost",
  title: "Dollars per million events",
  about:
    "Computed from counted runs on this machine, as by `npm run cost`: [every component, price and assumption](cost.md). " +
    "Events of 1 KB, 100 and 1 a request.",
  run: runCost,
};

async function runCost({ quick, log }: BenchOptions): Promise<BenchReport> {
  const reports: CostReport[] = [];
  for (const batch of [100, 1]) {
    log(`two counted runs, ${batch} a request`);
    reports.push(await costPerMillion({ eventBytes: 1_024, batch, rate: 1_000, seconds: quick ? 3 : 10 }));
  }
  return {
    series: reports.map(({ shape, sluice, naive, alternatives }) => ({
      shape: `1,024 B, ${shape.batch} a request`,
      unit: "dollars per million",
      contenders: [sluice, naive, ...alternatives].map(({ name, total }) => ({ name, figures: [total] })),
    })),
    checks: reports.flatMap(checksOf),
    notes: [],
  };
}

function checksOf({ shape: { batch }, sluice, naive }: CostReport): Check[] {
  const what = `dollars per million events, ${batch} a request`;
  if (batch === 1)
    return [
      {
        id: "B10c",
        what,
        against: "$1",
        ratios: [sluice.total],
        floor: { atMost: 4.7 },
        reached: {
          bound: 5.4,
          because:
            "$4.20 are a request, an invocation and a message for each event ($3.50, $0.20, $0.50); of the rest a third is log lines, " +
            "a quarter the time of ingest, a sixth the receiving of messages",
        },
      },
    ];
  return [
    {
      id: "B10a",
      what,
      against: "naive",
      ratios: [sluice.total / naive.total],
      floor: { atMost: 0.18 },
      reached: { bound: 0.3, because: "API Gateway, logs and Aurora's writes are paid by both" },
    },
    {
      id: "B10b",
      what,
      against: "$1",
      ratios: [sluice.total],
      floor: { atMost: 0.15 },
      reached: {
        bound: 0.25,
        because: "two fifths are Aurora's writes, a sixth is the REST API ([decision 1](decisions/README.md))",
      },
    },
  ];
}
