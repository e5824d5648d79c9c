import { appendFileSync, readFileSync } from "node:fs";
import { inject } from "vitest";
import type { Report } from "../checker/report.ts";
import { seconds, writeBlock } from "./reliability-page.ts";

/** The measurements of one fault case; a row of the table in docs/reliability.md. */
export type Measured = {
  id: string;
  title: string;
  counts: Report["counts"];
  timeToStable: Report["timeToStable"];
  /** From healing until nothing was left in the queue, ms. */
  drainMs: number;
  notes: readonly string[];
};

/** Called in the worker that ran the case. */
export function saveMeasured(measured: Measured): void {
  appendFileSync(inject("resultsFile"), `${JSON.stringify(measured)}\n`);
}

/** The cases that run in the stack. F31 is a test of the queues' attributes and measures nothing. */
const CASES = [
  ...range(1, 16),
  ...range(20, 25),
  ...range(29, 34).filter((number) => number !== 31),
  ...range(36, 39),
  44,
  46,
  ...range(48, 51),
].map((number) => `F${number}`);

/**
 * Called once at the end of a full run: writes the table, where every case was run.
 * @returns the cases that were not; the page stays as it is then
 */
export function writeCases(resultsFile: string, about: string): string[] {
  const rows = readFileSync(resultsFile, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Measured)
    .toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)) || a.title.localeCompare(b.title));
  const missing = CASES.filter((id) => !rows.some((row) => row.id === id));
  if (missing.length > 0) return missing;
  const head = [
    "| Case | Fault | Attempted | Accepted | Stored | Dead-lettered | Lost | Doubled | Stable p50 / p99 / max | Drained after healing | |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
  ];
  writeBlock("cases", [about, "", ...head, ...rows.map((row) => toRow(row))].join("\n"));
  return [];
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function toRow(row: Measured): string {
  const { attempted, acknowledged, stored, deadLettered, lost, doubled } = row.counts;
  const { p50, p99, max } = row.timeToStable;
  // A quantile of no values is NaN, which JSON makes null.
  const stable = max === null ? "" : [p50, p99, max].map((ms) => seconds(ms)).join(" / ");
  const counts = [attempted, acknowledged, stored, deadLettered, lost, doubled];
  return `| ${[row.id, row.title, ...counts, stable, seconds(row.drainMs), row.notes.join("; ")].join(" | ")} |`;
}
