import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Check } from "./benchmark.ts";
import { isMet, rangeText, wanted, worst } from "./checks.ts";
import { figure, plot } from "./plot.ts";
import { type Series, spread } from "./rounds.ts";
import { fileOf, KEPT_RUNS, readRuns, type Run } from "./runs.ts";

const DOCS = resolve(import.meta.dirname, "../docs");
const PICTURES = join(DOCS, "benchmarks");

export const PAGE = join(DOCS, "benchmarks.md");
export const RUNS = join(PICTURES, "runs");

/** Writes docs/benchmarks.md and its pictures from the kept runs. */
export function writePage(names: readonly string[]): void {
  const runs = readRuns(RUNS);
  writeFileSync(PAGE, renderPage(readFileSync(PAGE, "utf8"), names, runs));
  const pictures = renderPictures(names, runs);
  for (const file of readdirSync(PICTURES).filter((each) => each.endsWith(".svg") && !pictures.has(each)))
    rmSync(join(PICTURES, file));
  for (const [file, picture] of pictures) writeFileSync(join(PICTURES, file), picture);
}

/**
 * Renders the generated part of a page from runs, of which the newest comes first.
 * @param names all benchmarks, in the order of their sections
 * @throws Error if the page has no place for it
 */
export function renderPage(page: string, names: readonly string[], runs: readonly Run[]): string {
  const block = /(<!-- benchmarks: generated -->\n)[^]*(<!-- benchmarks: end -->)/;
  if (!block.test(page))
    throw new Error(`${PAGE} has no block for the figures: <!-- benchmarks: generated --> is missing.`);
  const measured = measuredOf(names, runs);
  const parts = [...withoutRun(names, measured), ...floorTable(measured), ...measured.flatMap(section)];
  const generated = parts.join("\n").trimEnd();
  return page.replace(block, (_, begin: string, end: string) => `${begin}${generated}\n${end}`);
}

/** The pictures of the newest runs, by the names of their files. */
export function renderPictures(names: readonly string[], runs: readonly Run[]): Map<string, string> {
  return new Map(
    measuredOf(names, runs).map(({ latest }) => [`${latest.benchmark}.svg`, plot(latest.title, latest.series)]),
  );
}

/** A benchmark with its kept runs, the newest first. */
type Measured = { latest: Run; runs: readonly Run[] };

function measuredOf(names: readonly string[], runs: readonly Run[]): Measured[] {
  return names.flatMap((name) => {
    const own = runs.filter(({ benchmark }) => benchmark === name).slice(0, KEPT_RUNS);
    const [latest] = own;
    return latest === undefined ? [] : [{ latest, runs: own }];
  });
}

function withoutRun(names: readonly string[], measured: readonly Measured[]): string[] {
  const without = names.filter((name) => !measured.some(({ latest }) => latest.benchmark === name));
  if (without.length === 0) return [];
  return [`No run is kept yet of ${without.map((name) => `\`${name}\``).join(", ")}.`, ""];
}

function floorTable(measured: readonly Measured[]): string[] {
  const rows = measured
    .flatMap(({ latest, runs }) => latest.checks.map((check) => ({ check, runs })))
    .toSorted((a, b) => order(a.check.id) - order(b.check.id));
  if (rows.length === 0) return [];
  return [
    "| # | What | Against | Median of each run, newest first | Lowest to highest round | Wanted | |",
    "|---|---|---|--:|--:|--:|---|",
    ...rows.map(({ check, runs }) => `| ${floorRow(check, runs).join(" | ")} |`),
    "",
  ];
}

const order = (id: string): number => Number.parseInt(id.slice(1), 10);

/** The cells of a check of the newest run, with what its other runs have of the same. */
function floorRow(check: Check, runs: readonly Run[]): string[] {
  const isSame = ({ id, what, against }: Check) => id === check.id && what === check.what && against === check.against;
  const ratios = runs.flatMap(({ checks }) => checks.filter(isSame).map((each) => each.ratios));
  const medians = ratios.map((each) => spread(each).median);
  return [
    check.id,
    check.what,
    check.against,
    medians.map(figure).join(", "),
    rangeText(ratios.flat()),
    wanted(check),
    verdict(check, medians),
  ];
}

function verdict(check: Check, medians: readonly number[]): string {
  const runs = medians.length < KEPT_RUNS ? ` (${medians.length} of ${KEPT_RUNS} runs)` : "";
  if (isMet({ ...check, ratios: [worst(check, medians)] })) return `reached${runs}`;
  return `**not reached**${runs}${check.reached === undefined ? "" : `: ${check.reached.because}`}`;
}

function section({ latest: { benchmark, title, about, notes, series }, runs }: Measured): string[] {
  return [
    `### ${title}`,
    "",
    `\`npm run bench -- --only ${benchmark}\`. ${about}`,
    "",
    ...runs.map((run, place) => `- ${origin(run)}${place === 0 ? ": the tables and the picture" : ""}`),
    "",
    ...notes.flatMap((note) => [note, ""]),
    `![${title}](benchmarks/${benchmark}.svg)`,
    "",
    ...series.flatMap(seriesTable),
  ];
}

function origin(run: Run): string {
  const time = run.at.slice(0, 16).replace("T", " ");
  return `[${time} UTC](benchmarks/runs/${fileOf(run)}), commit ${run.commit}, Node ${run.node}, ${run.machine}`;
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
