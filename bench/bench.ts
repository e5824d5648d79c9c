import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { BenchReport, Check } from "./benchmark.ts";
import { BENCHMARKS } from "./benchmarks.ts";
import { holds, isMet, ratioText, wanted } from "./checks.ts";
import { RUNS, writePage } from "./page.ts";
import { queryBenchmark } from "./query/query-benchmark.ts";
import { retentionBenchmark } from "./retention/retention-benchmark.ts";
import { APART_MINUTES, keepRun, readRuns, tooCloseTo } from "./runs.ts";
import { scaleBenchmark } from "./store/scale-benchmark.ts";

/** `npm run bench`: measures Sluice beside the alternatives in the same run, and fails where a ratio misses its bound. */

/** The benchmarks of `--quick`, one round each, unless `--only` names others. All of them would take three minutes. */
const QUICK = ["ingest", "store", "throughput"];

const names = BENCHMARKS.map(({ name }) => name);
const command = new Command("npm run bench --")
  .description(
    "Measures Sluice beside the alternatives, keeps the runs, and writes docs/benchmarks.md from those kept.",
  )
  .addOption(new Option("--only <names...>", "run only these benchmarks").choices(names))
  .option("--quick", `take less than a minute: ${QUICK.join(", ")}, or those of --only; keeps nothing`, false)
  .option("--rounds <number>", "counted rounds of each contender; keeps nothing", toWhole)
  .option("--rows <number>", "rows of the benchmarks of queries, retention and scale; keeps nothing", toWhole)
  .option("--page", "run nothing: write the page from the kept runs", false);
const { only, quick, rounds, rows, page } = command
  .parse()
  .opts<{ only?: string[]; quick: boolean; rounds?: number; rows?: number; page: boolean }>();

if (page) writePage(names);
else await measure();

async function measure(): Promise<void> {
  const origin = {
    commit: commit(),
    node: process.version,
    machine: `${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"})`,
  };
  console.log(
    `${new Date().toISOString().slice(0, 10)}, commit ${origin.commit}, Node ${origin.node}, ${origin.machine}`,
  );
  // A whole run leaves out the benchmarks that first fill a database with ten million events.
  const large: ReadonlySet<string> = new Set([queryBenchmark.name, retentionBenchmark.name, scaleBenchmark.name]);
  const chosen = only ?? (quick ? QUICK : names.filter((name) => !large.has(name)));
  const usualRounds = quick ? (only === undefined ? 1 : 3) : 7;
  const isWhole = !quick && rounds === undefined && rows === undefined;
  const failed: string[] = [];
  const broken: Check[] = [];
  for (const { name, title, about, run } of BENCHMARKS.filter((each) => chosen.includes(each.name))) {
    const log = (line: string) => console.log(`  ${line}`);
    console.log(`\n${title}`);
    const began = new Date();
    const close = isWhole ? tooCloseTo(readRuns(RUNS), name, began) : undefined;
    if (close !== undefined)
      log(`will not be kept: runs count ${APART_MINUTES} minutes apart, and the newest is of ${close.at}`);
    let report: BenchReport;
    try {
      report = await run({ quick, rounds: rounds ?? usualRounds, rows, log });
      if (isWhole && close === undefined) {
        keepRun(RUNS, { benchmark: name, title, about, at: began.toISOString(), ...origin, ...report });
        writePage(names);
      }
    } catch (error) {
      // The others of a long run are measured all the same.
      console.error(error);
      failed.push(name);
      continue;
    }
    log(`took ${Math.round((Date.now() - began.getTime()) / 1_000)} s`);
    for (const check of report.checks)
      log(
        `${check.id} ${check.what} against ${check.against}: ${ratioText(check)}, wanted ${wanted(check)}${remark(check)}`,
      );
    broken.push(...report.checks.filter((check) => !holds(check)));
  }
  if (failed.length > 0) console.error(`\nFailed: ${failed.join(", ")}.`);
  if (broken.length > 0) console.error(`\nDoes not hold: ${[...new Set(broken.map(({ id }) => id))].join(", ")}.`);
  if (failed.length > 0 || broken.length > 0) process.exitCode = 1;
}

function remark(check: Check): string {
  if (isMet(check)) return "";
  return holds(check) ? " (known; see docs/benchmarks.md)" : " — DOES NOT HOLD";
}

function commit(): string {
  const options = { cwd: resolve(import.meta.dirname, ".."), encoding: "utf8" } as const;
  const hash = execFileSync("git", ["rev-parse", "--short", "HEAD"], options).trim();
  const changed = execFileSync(
    "git",
    [
      "status",
      "--porcelain",
      "--",
      "catalog",
      "console",
      "functions",
      "lib",
      "localstack",
      "bench",
      "package-lock.json",
    ],
    options,
  );
  return changed === "" ? hash : `${hash} with changes`;
}

function toWhole(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("Give a whole number from 1.");
  return number;
}
