import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BENCHMARKS } from "../../../bench/benchmarks.ts";
import { PAGE, renderPage, renderPictures, RUNS } from "../../../bench/page.ts";
import { APART_MINUTES, fileOf, readRuns } from "../../../bench/runs.ts";

const names = BENCHMARKS.map(({ name }) => name);
const runs = readRuns(RUNS);
const AGAIN = "Run: npm run bench -- --page";

describe("docs/benchmarks.md", () => {
  it("the figures of the page are those of the kept runs", () => {
    const page = readFileSync(PAGE, "utf8");

    expect(page, `${PAGE} is not up to date. ${AGAIN}`).toBe(renderPage(page, names, runs));
  });

  it("the page says how far apart runs begin", () => {
    expect(readFileSync(PAGE, "utf8")).toContain(`least ${APART_MINUTES} minutes apart`);
  });

  it("the pictures are those of the kept runs, and there are no others", () => {
    const files = readdirSync("docs/benchmarks").filter((file) => file.endsWith(".svg"));
    const pictures = files.map((file) => [file, readFileSync(`docs/benchmarks/${file}`, "utf8")] as const);

    expect(new Map(pictures), AGAIN).toEqual(renderPictures(names, runs));
  });

  it("each kept run is of a benchmark that exists, in a file with its name and time", () => {
    const files = readdirSync(RUNS).filter((file) => file !== "README.md");

    expect(runs.map(fileOf).toSorted()).toEqual(files.toSorted());
    expect(runs.map(({ benchmark }) => benchmark).filter((name) => !names.includes(name))).toEqual([]);
  });
});
