import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BenchReport, Benchmark, Check } from "./benchmark.ts";
import { figure, plot } from "./plot.ts";
import { type Series, spread } from "./rounds.ts";

export type Measured = { benchmark: Pick<Benchmark, "name" | "title" | "about">; report: BenchReport };

const DOCS = resolve(import.meta.dirname, "../docs");

/** Writes the generated parts of docs/benchmarks.md, and a plot for each benchmark. */
export function writePage(machine: string, measured: readonly Measured[]): void {
  mkdirSync(join(DOCS, "benchmarks"), { recursive: true });
  for (const { benchmark, report } of measured)
    writeFileSync(join(DOCS, "benchmarks", `${benchmark.name}.svg`), plot(benchmark.title, report.series));
  const page = join(DOCS, "benchmarks.md");
  const generated = [machine, "", ...floorTable(measured), ...measured.flatMap(section)].join("\n").trimEnd();
  const text = readFileSync(page, "utf8");
  const block = /(<!-- benchmarks: generated -->\n)[^]*(<!-- benchmarks: end -->)/;
  if (!block.test(text))
    throw new Error(`${page} has no block for the figures: <!-- benchmarks: generated --> is missing.`);
  writeFileSync(
    page,
    text.replace(block, (_, begin: string, end: string) => `${begin}${generated}\n${end}`),
  );
}

/** Tells whether the median keeps the enforced bound: `reached` where the wanted one is known to be out of reach. */
export function holds({ ratios, floor, reached }: Check): boolean {
  const { median } = spread(ratios);
  return "atLeast" in floor ? median >= (reached?.bound ?? floor.atLeast) : median <= (reached?.bound ?? floor.atMost);
}

/** Formats the wanted bound, for example `≥ 0.60`. */
export function wanted({ floor }: Check): string {
  return "atLeast" in floor ? `≥ ${floor.atLeast}` : `≤ ${floor.atMost}`;
}

export function isMet(check: Check): boolean {
  return holds({ ...check, reached: undefined });
}

export function ratioText(check: Check): string {
  const { median, min, max } = spread(check.ratios);
  return check.ratios.length === 1 ? figure(median) : `${figure(median)} (${figure(min)} to ${figure(max)})`;
}

function floorTable(measured: readonly Measured[]): string[] {
  const checks = measured.flatMap(({ report }) => report.checks).toSorted((a, b) => order(a.id) - order(b.id));
  return [
    "| # | What | Against | Ratio: median (min to max) | Wanted | |",
    "|---|---|---|--:|--:|---|",
    ...checks.map((check) => {
      const cells = [check.id, check.what, check.against, ratioText(check), wanted(check), verdict(check)];
      return `| ${cells.join(" | ")} |`;
    }),
    "",
  ];
}

const order = (id: string): number => Number.parseInt(id.slice(1), 10);

function verdict(check: Check): string {
  if (isMet(check)) return "reached";
  return check.reached === undefined ? "**not reached**" : `**not reached**: ${check.reached.because}`;
}

function section({ benchmark: { name, title, about }, report: { series, notes } }: Measured): string[] {
  return [
    `### ${title}`,
    "",
    `\`npm run bench -- --only ${name}\`. ${about}`,
    "",
    ...notes.flatMap((note) => [note, ""]),
    `![${title}](benchmarks/${name}.svg)`,
    "",
    ...series.flatMap(seriesTable),
  ];
}

function seriesTable({ shape, unit, contenders }: Series): string[] {
  return [
    `| ${shape} | ${unit}: median | min | max |`,
    "|---|--:|--:|--:|",
    ...contenders.map(({ name, figures }) => {
      const { median, min, max } = spread(figures);
      return `| ${[name, ...[median, min, max].map(figure)].join(" | ")} |`;
    }),
    "",
  ];
}
