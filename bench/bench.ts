import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Benchmark } from "./benchmark.ts";
import { bundlesBenchmark } from "./bundles/bundles-benchmark.ts";
import { costBenchmark } from "./cost/cost-benchmark.ts";
import { ingestBenchmark } from "./ingest/ingest-benchmark.ts";
import { refusalsBenchmark } from "./ingest/refusals-benchmark.ts";
import { deadLettersBenchmark } from "./dead-letters/dead-letters-benchmark.ts";
import { holds, isMet, type Measured, ratioText, wanted, writePage } from "./page.ts";
import { notifyBenchmark } from "./notify/notify-benchmark.ts";
import { clientsBenchmark } from "./pipeline/clients-benchmark.ts";
import { readableBenchmark } from "./pipeline/readable-benchmark.ts";
import { throughputBenchmark } from "./pipeline/throughput-benchmark.ts";
import { retentionBenchmark } from "./retention/retention-benchmark.ts";
import { queryBenchmark } from "./query/query-benchmark.ts";
import { refusedBenchmark } from "./store/refused-benchmark.ts";
import { scaleBenchmark } from "./store/scale-benchmark.ts";
import { storeBenchmark } from "./store/store-benchmark.ts";
import { walBenchmark } from "./store/wal-benchmark.ts";

/** `npm run bench`: measures Sluice beside the alternatives in the same run, and fails where a ratio misses its bound. */
const BENCHMARKS: readonly Benchmark[] = [
  ingestBenchmark,
  refusalsBenchmark,
  storeBenchmark,
  throughputBenchmark,
  readableBenchmark,
  refusedBenchmark,
  bundlesBenchmark,
  walBenchmark,
  costBenchmark,
  clientsBenchmark,
  deadLettersBenchmark,
  queryBenchmark,
  notifyBenchmark,
  retentionBenchmark,
  scaleBenchmark,
];

/** The benchmarks of `--quick`, one round each, unless `--only` names others. All of them would take three minutes. */
const QUICK = ["ingest", "store", "throughput"];

const names = BENCHMARKS.map(({ name }) => name);
const command = new Command("npm run bench --")
  .description("Measures Sluice beside the alternatives; a whole run writes docs/benchmarks.md.")
  .addOption(new Option("--only <names...>", "run only these benchmarks; writes nothing").choices(names))
  .option("--quick", `take less than a minute: ${QUICK.join(", ")}, or those of --only; writes nothing`, false)
  .option("--rounds <number>", "counted rounds of each contender", toWhole)
  .option("--rows <number>", "rows of the benchmarks of queries, retention and scale; writes nothing", toWhole);
const { only, quick, rounds, rows } = command
  .parse()
  .opts<{ only?: string[]; quick: boolean; rounds?: number; rows?: number }>();

const machine = [
  new Date().toISOString().slice(0, 10),
  `commit ${commit()}`,
  `Node ${process.version}`,
  `${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"})`,
].join(", ");
console.log(machine);

const measured: Measured[] = [];
// A whole run leaves out the benchmarks that first fill a database with ten million events.
const LARGE: ReadonlySet<string> = new Set([queryBenchmark.name, retentionBenchmark.name, scaleBenchmark.name]);
const chosen = only ?? (quick ? QUICK : names.filter((name) => !LARGE.has(name)));
const usualRounds = quick ? (only === undefined ? 1 : 3) : 7;
for (const benchmark of BENCHMARKS.filter(({ name }) => chosen.includes(name))) {
  console.log(`\n${benchmark.title}`);
  const options = { quick, rounds: rounds ?? usualRounds, rows, log: (line: string) => console.log(`  ${line}`) };
  const report = await benchmark.run(options);
  measured.push({ benchmark, report });
  for (const check of report.checks)
    console.log(
      `  ${check.id} ${check.what} against ${check.against}: ${ratioText(check)}, wanted ${wanted(check)}${remark(check)}`,
    );
}
if (!quick && only === undefined && rounds === undefined && rows === undefined) writePage(`${machine}.`, measured);
const broken = measured.flatMap(({ report }) => report.checks).filter((check) => !holds(check));
if (broken.length > 0) {
  console.error(`\nDoes not hold: ${broken.map(({ id }) => id).join(", ")}.`);
  process.exitCode = 1;
}

function remark(check: Parameters<typeof isMet>[0]): string {
  if (isMet(check)) return "";
  return holds(check) ? " (known; see docs/benchmarks.md)" : " — DOES NOT HOLD";
}

function commit(): string {
  const options = { cwd: resolve(import.meta.dirname, ".."), encoding: "utf8" } as const;
  const hash = execFileSync("git", ["rev-parse", "--short", "HEAD"], options).trim();
  const changed = execFileSync(
    "git",
    ["status", "--porcelain", "--", "catalog", "console", "functions", "lib", "localstack", "bench"],
    options,
  );
  return changed === "" ? hash : `${hash} with changes`;
}

function toWhole(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("Give a whole number from 1.");
  return number;
}
