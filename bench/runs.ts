import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const bound = z.union([z.strictObject({ atLeast: z.number() }), z.strictObject({ atMost: z.number() })]);

const runSchema = z.strictObject({
  benchmark: z.string(),
  /** The method and the bounds are those of the run. */
  title: z.string(),
  about: z.string(),
  /** The beginning of the run, in UTC. */
  at: z.iso.datetime(),
  /** Followed by `with changes` where the code was not that of the commit. */
  commit: z.string(),
  node: z.string(),
  machine: z.string(),
  notes: z.array(z.string()),
  series: z.array(
    z.strictObject({
      shape: z.string(),
      unit: z.string(),
      contenders: z.array(z.strictObject({ name: z.string(), figures: z.array(z.number()) })),
    }),
  ),
  checks: z.array(
    z.strictObject({
      id: z.string(),
      what: z.string(),
      against: z.string(),
      ratios: z.array(z.number()).readonly(),
      floor: bound,
      reached: z.strictObject({ bound: z.number(), because: z.string() }).optional(),
    }),
  ),
});

/** A whole run of one benchmark, as its file keeps it. */
export type Run = z.infer<typeof runSchema>;

/** A figure counts when three runs at different times hold it. */
export const KEPT_RUNS = 3;

/** Runs that are closer have the same neighbours on the machine. */
export const APART_MINUTES = 30;

const MINUTE_MS = 60_000;
/** More digits than any figure has. */
const DIGITS = 6;

/** The name of a run's file, for example `store-2026-11-30T1612.json`. */
export function fileOf({ benchmark, at }: Pick<Run, "benchmark" | "at">): string {
  return `${benchmark}-${at.slice(0, 16).replace(":", "")}.json`;
}

/** Reads the runs of a folder, the newest first. @throws Error naming a file that is no run */
export function readRuns(folder: string): Run[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => readRun(join(folder, file)))
    .toSorted((a, b) => (a.at < b.at ? 1 : -1));
}

/** Writes the file of a run, and deletes those of all but the newest runs of its benchmark. @throws Error if a figure is no number */
export function keepRun(folder: string, run: Run): void {
  const text = toText(runSchema.parse(run));
  writeFileSync(join(folder, fileOf(run)), text);
  const own = readRuns(folder).filter(({ benchmark }) => benchmark === run.benchmark);
  for (const old of own.slice(KEPT_RUNS)) rmSync(join(folder, fileOf(old)));
}

/**
 * The newest run of a benchmark, if another one now would be too close to it to count. The earlier one stays, so that nobody
 * repeats a run until its figures please.
 */
export function tooCloseTo(runs: readonly Run[], name: string, now: Date): Run | undefined {
  return runs.find(
    ({ benchmark, at }) => benchmark === name && now.getTime() - Date.parse(at) < APART_MINUTES * MINUTE_MS,
  );
}

function readRun(file: string): Run {
  try {
    return runSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new Error(`${file} is no run of a benchmark. Restore it as it was committed. ${why}`, { cause });
  }
}

/** A line for each series and check, so that two runs can be compared line by line. */
function toText(run: Run): string {
  const shorten = (_: string, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(DIGITS)) : value;
  const toJson = (value: unknown) => JSON.stringify(value, shorten);
  const members = Object.entries(run).map(([key, value]) => {
    const text =
      typeof value === "string" ? toJson(value) : `[\n${value.map((each) => `  ${toJson(each)}`).join(",\n")}\n]`;
    return `"${key}": ${text}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}
