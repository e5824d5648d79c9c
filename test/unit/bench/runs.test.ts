import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { APART_MINUTES, fileOf, keepRun, readRuns, tooCloseTo } from "../../../bench/runs.ts";
import { runOf } from "./a-run.ts";

describe("kept runs of a benchmark", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-runs-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("a run is read as it was kept, from a file with its benchmark and minute", () => {
    const run = runOf("store", "2026-11-30T16:12:34.567Z", {
      ratios: [0.5, 0.25],
      reached: { bound: 0.2, because: "it is so" },
      notes: ["Beside nothing else."],
    });

    keepRun(folder, run);

    expect(readdirSync(folder)).toEqual(["store-2026-11-30T1612.json"]);
    expect(readRuns(folder)).toEqual([run]);
  });

  it("figures are kept with six digits", () => {
    keepRun(folder, runOf("store", "2026-11-30T16:12:00.000Z", { ratios: [1 / 3] }));

    expect(readRuns(folder)[0]?.checks[0]?.ratios).toEqual([0.333333]);
  });

  it("the newest three runs of a benchmark are kept, and those of others stay", () => {
    keepRun(folder, runOf("wal", "2026-11-01T00:00:00.000Z"));
    for (const hour of ["13", "10", "12", "11"]) keepRun(folder, runOf("store", `2026-11-30T${hour}:00:00.000Z`));

    expect(readRuns(folder).map(({ benchmark, at }) => `${benchmark} ${at.slice(0, 13)}`)).toEqual([
      "store 2026-11-30T13",
      "store 2026-11-30T12",
      "store 2026-11-30T11",
      "wal 2026-11-01T00",
    ]);
  });

  it("a figure that is no number is refused before anything is written", () => {
    expect(() => keepRun(folder, runOf("store", "2026-11-30T16:12:00.000Z", { ratios: [Number.NaN] }))).toThrow(
      /ratios/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it("a file that is no run is named, with what is wrong in it", () => {
    const { about: _, ...run } = runOf("store", "2026-11-30T16:12:00.000Z");
    writeFileSync(join(folder, "store-2026-11-30T1612.json"), JSON.stringify(run));

    expect(() => readRuns(folder)).toThrow(/store-2026-11-30T1612\.json is no run.*about/s);

    writeFileSync(join(folder, "store-2026-11-30T1612.json"), "<<<<<<< HEAD");

    expect(() => readRuns(folder)).toThrow(/store-2026-11-30T1612\.json is no run.*JSON/s);
  });

  it("each series and check is a line of the file", () => {
    const run = runOf("store", "2026-11-30T16:12:00.000Z");
    keepRun(folder, run);

    const lines = readFileSync(join(folder, fileOf(run)), "utf8").split("\n");

    expect(lines.filter((line) => line.startsWith('  {"id":"B3"'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('  {"shape":'))).toHaveLength(1);
  });
});

describe("the distance of runs", () => {
  const at = Date.parse("2026-11-30T16:00:00.000Z");
  const runs = [runOf("store", "2026-11-30T16:00:00.000Z"), runOf("store", "2026-11-30T12:00:00.000Z")];
  const after = (minutes: number) => new Date(at + minutes * 60_000);

  it("a run that begins too soon after the newest of its benchmark is too close to it", () => {
    expect(tooCloseTo(runs, "store", after(APART_MINUTES - 1))).toBe(runs[0]);
    expect(tooCloseTo(runs, "store", after(APART_MINUTES))).toBeUndefined();
  });

  it("runs of other benchmarks are never too close", () => {
    expect(tooCloseTo(runs, "wal", after(1))).toBeUndefined();
  });
});
