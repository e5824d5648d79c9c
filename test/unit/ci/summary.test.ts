import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** The summary of one run, of which the report may be missing. */
function summarize(testResults: object[] | undefined, exitCode: number, numPassedTests = 0) {
  const report = join(folder.path, "test-long.json");
  if (testResults !== undefined) writeFileSync(report, JSON.stringify({ numPassedTests, testResults }));
  const { stdout, status } = spawnSync(process.execPath, [".ci/summary.mjs", report, String(exitCode)], {
    encoding: "utf8",
  });
  return { lines: stdout.trim().split("\n"), stdout, status };
}

const file = (more: object) => ({
  name: resolve("test/unit/a.test.ts"),
  status: "failed",
  message: "",
  assertionResults: [],
  ...more,
});

describe("the summary of CI", () => {
  it("the summary of runs without a failure is the count alone", () => {
    const assertionResults = [{ status: "passed", fullName: "a rule holds", failureMessages: [] }];

    const { stdout, status } = summarize([file({ status: "passed", assertionResults })], 0, 1);

    expect({ stdout, status }).toEqual({ stdout: "1 passed, 0 failed\n", status: 0 });
  });

  it("the summary names each failed test with its run, its file and the first lines of its error", () => {
    const failureMessages = [
      `\u001B[31mError: first\u001B[39m\n\n    at run (file:///app/node_modules/vitest/run.js:1:2)\n${"line\n".repeat(50)}last`,
    ];
    const assertionResults = [
      { status: "failed", fullName: "a rule holds", failureMessages },
      { status: "passed", fullName: "another rule holds", failureMessages: [] },
      { status: "failed", fullName: "a third rule holds", failureMessages: ["Error: second"] },
    ];

    const { lines, stdout, status } = summarize([file({ assertionResults })], 1, 1);

    expect(stdout).toContain("test-long: test/unit/a.test.ts: a rule holds\n    Error: first\n    line\n");
    expect(stdout).toContain("test-long: test/unit/a.test.ts: a third rule holds\n    Error: second\n");
    expect(stdout).not.toMatch(/another rule|last|node_modules/);
    expect(lines.at(-1)).toBe("1 passed, 2 failed");
    expect(status).toBe(1);
  });

  it("the summary counts a file that failed outside of its tests", () => {
    const { lines, stdout } = summarize([file({ message: "Error: no such module" })], 1, 7);

    expect(stdout).toContain(
      "test-long: test/unit/a.test.ts: the file failed outside of its tests\n    Error: no such module\n",
    );
    expect(lines.at(-1)).toBe("7 passed, 1 failed");
  });

  it.each([
    ["without a report", undefined],
    ["with no failed test", []],
  ])("the summary counts a run that failed %s", (_, testResults) => {
    const { lines, stdout, status } = summarize(testResults, 134);

    expect(stdout).toMatch(/test-long: the run ended with exit code 134 and (without a report|no failed test)\./);
    expect(lines.at(-1)).toBe("0 passed, 1 failed");
    expect(status).toBe(1);
  });
});
