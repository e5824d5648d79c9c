import { describe, expect, it } from "vitest";
import { renderPage, renderPictures } from "../../../bench/page.ts";
import type { Run } from "../../../bench/runs.ts";
import { runOf } from "./a-run.ts";

const NAMES = ["store", "wal"];
const PAGE = "# By hand\n\n<!-- benchmarks: generated -->\nOld.\n<!-- benchmarks: end -->\n\nBehind.\n";

const render = (runs: readonly Run[], page = PAGE) => renderPage(page, NAMES, runs);
const rowOf = (page: string, id: string) =>
  page
    .split("\n")
    .find((line) => line.startsWith(`| ${id} |`))
    ?.split(" | ");
const at = (hour: number) => `2026-11-30T${hour}:30:00.000Z`;

describe("the page of benchmarks", () => {
  const three = [
    runOf("store", at(16), { ratios: [0.7, 0.65, 0.9] }),
    runOf("store", at(14), { ratios: [0.62, 0.4, 0.8] }),
    runOf("store", at(12), { ratios: [0.8] }),
  ];

  it("a row has the median of each run, and the range over the rounds of all", () => {
    const page = render(three);

    expect(rowOf(page, "B3")?.slice(1, 6)).toEqual([
      "consumer",
      "COPY",
      "0.700, 0.620, 0.800",
      "0.400 to 0.900",
      "≥ 0.6",
    ]);
  });

  it("a fourth run, of another branch, is older than those that count", () => {
    expect(render([...three, runOf("store", at(10), { ratios: [0.1] })])).toBe(render(three));
  });

  it.each([
    ["the lowest", { atLeast: 0.6 }, "reached |"],
    ["the lowest", { atLeast: 0.63 }, "**not reached** |"],
    ["the highest", { atMost: 0.8 }, "reached |"],
    ["the highest", { atMost: 0.79 }, "**not reached** |"],
  ])("a floor is compared with %s of the medians: %j", (_, floor, verdict) => {
    const page = render(three.map((run) => ({ ...run, checks: run.checks.map((check) => ({ ...check, floor })) })));

    expect(rowOf(page, "B3")?.at(-1)).toBe(verdict);
  });

  it("a row of fewer than three runs says so", () => {
    expect(rowOf(render(three.slice(0, 1)), "B3")?.at(-1)).toBe("reached (1 of 3 runs) |");
    expect(rowOf(render(three.slice(0, 2)), "B3")?.at(-1)).toBe("reached (2 of 3 runs) |");
  });

  it("a row that is not reached has its reason behind it", () => {
    const [latest, ...others] = three;
    const reached = { bound: 0.3, because: "a key has its price" };
    const checks = latest?.checks.map((check) => ({ ...check, floor: { atLeast: 0.9 }, reached })) ?? [];

    expect(rowOf(render(latest === undefined ? [] : [{ ...latest, checks }, ...others]), "B3")?.at(-1)).toBe(
      "**not reached**: a key has its price |",
    );
  });

  it("a check that earlier runs have not, or have of something else, counts in the runs that have it", () => {
    const runs = [runOf("store", at(16)), runOf("store", at(14), { against: "another" }), runOf("store", at(12))];

    expect(rowOf(render(runs), "B3")?.slice(3)).toEqual([
      "0.500, 0.500",
      "0.500 to 0.500",
      "≥ 0.6",
      "**not reached** (2 of 3 runs) |",
    ]);
  });

  it("a section has the tables of the newest run, and says of all runs where they are from", () => {
    const [newest, older] = [runOf("store", at(16), { notes: ["It is so."] }), runOf("store", at(14))];
    const page = render([newest, { ...older, series: [], commit: "fedcba9 with changes" }]);

    expect(page).toContain(`### Title of store

\`npm run bench -- --only store\`. About store.

- [2026-11-30 16:30 UTC](benchmarks/runs/store-2026-11-30T1630.json), commit 0123abc, Node v24.0.0, 2 cores (A Processor): the tables and the picture
- [2026-11-30 14:30 UTC](benchmarks/runs/store-2026-11-30T1430.json), commit fedcba9 with changes, Node v24.0.0, 2 cores (A Processor)

It is so.

![Title of store](benchmarks/store.svg)

| 1 × 400 B | events/s: median | min | max |
|---|--:|--:|--:|
| ours | 20.0 | 10.0 | 30.0 |
`);
  });

  it("a run of one benchmark changes its rows and section, and none of another's", () => {
    const wal = runOf("wal", at(15), { id: "B9", ratios: [1.7], floor: { atMost: 1.8 } });
    const before = render([...three, wal]);

    const after = render(
      [runOf("wal", at(17), { id: "B9", ratios: [1.9], floor: { atMost: 1.8 } }), ...three, wal],
      before,
    );

    const sections = (page: string) => page.split("### ");
    expect(rowOf(after, "B3")).toEqual(rowOf(before, "B3"));
    expect(sections(after)[1]).toBe(sections(before)[1]);
    expect(rowOf(after, "B9")?.slice(3)).toEqual([
      "1.90, 1.70",
      "1.70 to 1.90",
      "≤ 1.8",
      "**not reached** (2 of 3 runs) |",
    ]);
    expect(sections(after)[2]).not.toBe(sections(before)[2]);
  });

  it("benchmarks without a run are named, and have no rows", () => {
    expect(render(three)).toContain("No run is kept yet of `wal`.");
    expect(render([])).toContain("No run is kept yet of `store`, `wal`.");
    expect(render([])).not.toContain("|");
  });

  it("text outside of the generated part stays", () => {
    const page = render(three);

    expect(page).toMatch(/^# By hand\n\n<!-- benchmarks: generated -->\n/);
    expect(page).toMatch(/\n<!-- benchmarks: end -->\n\nBehind\.\n$/);
    expect(page).not.toContain("Old.");
  });

  it("a page without a place for the figures is refused", () => {
    expect(() => render(three, "# Empty\n")).toThrow("<!-- benchmarks: generated --> is missing");
  });

  it("a picture shows the newest run", () => {
    const pictures = renderPictures(NAMES, three);

    expect([...pictures.keys()]).toEqual(["store.svg"]);
    expect(pictures.get("store.svg")).toContain(">20.0</text>");
  });
});
