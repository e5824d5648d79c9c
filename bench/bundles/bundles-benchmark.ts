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
      series(each, "KiB", each.bytes / 1_024, { [CLIENTS]: each.baselineBytes / 1_024 }),
      series(each, "ms to import", each.importMilliseconds, {
        [CLIENTS]: each.baselineImportMilliseconds,
        "without its source map": each.unmappedImportMilliseconds,
      }),
    ]),
    checks: compared.flatMap((each) => [
      check(each, "size of", each.bytes / each.baselineBytes),
      check(each, "import of", each.importMilliseconds / each.baselineImportMilliseconds),
    ]),
    notes: [
      "The api-docs function makes no SDK client: its baseline is an empty handler.",
      "The ratios of imports are to the clients with their source map enabled. Ours reads its map with the first stack trace.",
    ],
  };
}

const CLIENTS = "SDK clients alone";

function series({ name }: BundleFigures, unit: string, ours: number, baselines: Record<string, number>): Series {
  const others = Object.entries(baselines).map(([baseline, figure]) => ({ name: baseline, figures: [figure] }));
  return { shape: name, unit, contenders: [{ name, figures: [ours] }, ...others] };
}

function check({ name, clients }: BundleFigures, what: string, ratio: number): Check {
  return {
    id: "B8",
    what: `${what} ${name}`,
    against: `${clients.join(" and ")} alone`,
    ratios: [ratio],
    floor: { atMost: 1.25 },
  };
}
