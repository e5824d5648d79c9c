import type { Check } from "../../../bench/benchmark.ts";
import type { Run } from "../../../bench/runs.ts";

/** A run with one check and one series. */
export function runOf(
  benchmark: string,
  at: string,
  { notes = [], ...check }: Partial<Check> & { notes?: string[] } = {},
): Run {
  return {
    benchmark,
    title: `Title of ${benchmark}`,
    about: `About ${benchmark}.`,
    at,
    commit: "0123abc",
    node: "v24.0.0",
    machine: "2 cores (A Processor)",
    notes,
    series: [{ shape: "1 × 400 B", unit: "events/s", contenders: [{ name: "ours", figures: [10, 30, 20] }] }],
    checks: [{ id: "B3", what: "consumer", against: "COPY", ratios: [0.5], floor: { atLeast: 0.6 }, ...check }],
  };
}
