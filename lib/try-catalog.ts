import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSync, type BuildFailure, type Message } from "esbuild";
import { BUNDLE_OPTIONS } from "./bundle-options.ts";

export type Trial = {
  /** Files that do not load, as lines that begin with the file. */
  faults: string[];
  /** Files that this process must not load either: they end it, never end, or throw what Node cannot print. */
  harmful: string[];
};

/** A file that takes longer never ends, or would be too slow for the cold start of a function. */
const LOADS_WITHIN_MS = 10_000;

/**
 * Loads the files of a catalog as Lambda does: bundled as CommonJS, and without the variables of this process. A file that
 * loads here only would leave ingest dead once it is deployed. The files are loaded in a process of their own, because one
 * may end its process or never end.
 */
export function tryCatalog(files: readonly string[], withinMs = LOADS_WITHIN_MS): Trial {
  if (files.length === 0) return { faults: [], harmful: [] };
  const folder = mkdtempSync(join(tmpdir(), "sluice-catalog-"));
  try {
    const bundle = join(folder, "catalog.cjs");
    const faults = buildTrial(files, bundle);
    return faults.length > 0 ? { faults, harmful: [] } : runTrial(files, bundle, withinMs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bundles a program that loads each file and reports it on a line of its own. */
function buildTrial(files: readonly string[], outfile: string): string[] {
  const loads = files.map((file, index) => `load(${index}, () => require(${JSON.stringify(resolve(file))}));`);
  try {
    const { warnings } = buildSync({
      ...BUNDLE_OPTIONS,
      stdin: { contents: `${TRIAL}${loads.join("\n")}\n`, resolveDir: process.cwd() },
      outfile,
      sourcemap: false,
      logLevel: "silent",
    });
    return warnings.map(describe);
  } catch (error) {
    return (error as BuildFailure).errors.map(describe);
  }
}

const TRIAL = `const { writeSync } = require("node:fs");
const report = (...line) => writeSync(3, JSON.stringify(line) + "\\n");
const load = (index, run) => {
  report(index, "begins");
  try { run(); report(index, "loads"); }
  catch (error) { error instanceof Error ? report(index, "throws", error.message) : report(index, "throws no error", String(error)); }
};
`;

function describe({ text, location }: Message): string {
  const place = location === null ? "catalog" : `${location.file}:${location.line}`;
  return `${place} cannot be bundled: ${text}`;
}

function runTrial(files: readonly string[], bundle: string, withinMs: number): Trial {
  const { output, status, signal } = spawnSync(process.execPath, [bundle], {
    // Lambda sets no HOME and none of the user's variables.
    env: {},
    encoding: "utf8",
    // The reports have a channel of their own, because a file may print.
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    timeout: withinMs,
    killSignal: "SIGKILL",
  });
  const lines = (output[3] ?? "").split("\n").filter((line) => line !== "");
  const reports = lines.map((line) => JSON.parse(line) as Report);
  const of = (kind: Report[1], text: string) =>
    reports.flatMap(([index, each, why = ""]) => (each === kind ? [`${files[index]} ${text}: ${firstLine(why)}`] : []));
  const harmful = of("throws no error", "throws what is no Error");
  const [last, kind] = reports.at(-1) ?? [0, "begins"];
  if (kind === "begins") {
    const why = signal === null ? `ends its process with ${status}` : `does not load in ${withinMs / 1_000} s`;
    harmful.push(`${files[last]} ${why}`);
  }
  return {
    faults: of("throws", "does not load in Lambda, which bundles it and has no variables of the shell"),
    harmful,
  };
}

type Report = [index: number, kind: "begins" | "loads" | "throws" | "throws no error", why?: string];

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
