import type { Benchmark, BenchOptions, BenchReport, Check } from "../benchmark.ts";
import type { Series } from "../rounds.ts";
import { type BundleFigures, measureBundles } from "./measure.ts";

/** B8. */
export const bundlesBenchmark: Benchmark = {
  name: "bundles",
  title: "Size and import of each function",
  about:
    "Each function as it is bundled for Lambda, against a bundle that only makes the same SDK clients. Imports are timed in " +
    "fresh processes, alternating between the two.",
  run: runBundles,
};

async function runBundles({ quick, rounds, log }: BenchOptions): Promise<BenchReport> {
  log("each function");
  const figures = measureBundles({ runs: quick ? 5 : Math.max(rounds, 11) });
  const compared = figures.filter(({ clients }) => clients.length > 0);
  return {
    series: figures.flatMap((each) => [
      series(each, "KiB", each.bytes / 1_024, each.baselineBytes / 1_024),
      series(each, "ms to import", each.importMilliseconds, each.baselineImportMilliseconds),
    ]),
    checks: compared.flatMap((each) => [
      check(each, "size of", each.bytes / each.baselineBytes, 1.25),
      check(each, "import of", each.importMilliseconds / each.baselineImportMilliseconds, 1.15),
    ]),
    notes: [
      "The api-docs function makes no SDK client: its baseline is an empty handler.",
      "Neither has its source map enabled: ours reads its map with the first stack trace.",
    ],
  };
}

function series({ name }: BundleFigures, unit: string, ours: number, baseline: number): Series {
  return {
    shape: name,
    unit,
    contenders: [
      { name, figures: [ours] },
      { name: "SDK clients alone", figures: [baseline] },
    ],
  };
}

function check({ name, clients }: BundleFigures, what: string, ratio: number, atMost: number): Check {
  return {
    id: "B8",
    what: `${what} ${name}`,
    against: `${clients.join(" and ")} alone`,
    ratios: [ratio],
    floor: { atMost },
  };
}
