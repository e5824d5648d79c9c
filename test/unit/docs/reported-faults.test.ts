import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const rows = readFileSync("docs/reported-faults.md", "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, number] = /^\| (\d+) \|/.exec(line) ?? [];
    const tests = [...line.matchAll(/`(test\/[^`]+)` "([^"]+)"/g)].map(([, file = "", title = ""]) => ({
      file,
      title,
    }));
    return number === undefined ? [] : [{ number: Number(number), tests }];
  });

describe("docs/reported-faults.md", () => {
  it("the reported faults are numbered without a gap, and each has a test", () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 37 }, (_, i) => i + 1));
    for (const { number, tests } of rows) expect(tests.length, String(number)).toBeGreaterThan(0);
  });

  it("the reported faults name tests that exist", () => {
    const missing = rows
      .flatMap(({ tests }) => tests)
      .filter(({ file, title }) => !existsSync(file) || !readFileSync(file, "utf8").includes(title));

    expect(missing).toEqual([]);
  });
});
