import { relative } from "node:path";
import type { TestModule } from "vitest/node";
import type { Gap } from "./gaps.ts";

/** Says which gaps there were, and fails the run if a file that ran has no test with the name of a gap. */
export function reportGaps(gaps: readonly Gap[], modules: readonly TestModule[]): void {
  const names = new Map(
    modules.map(({ moduleId, children }) => [
      relative(".", moduleId),
      new Set([...children.allTests()].map(({ fullName }) => fullName)),
    ]),
  );
  for (const { file, test, reason, link } of gaps) {
    const tests = names.get(file);
    if (tests?.has(test)) print(`A gap of the emulator: ${test}\n  It ${reason} (${link}).`);
    if (tests === undefined || tests.has(test)) continue;
    print(`${file} has no test "${test}": take its row out of test/e2e/known-gaps.ts.`);
    process.exitCode = 1;
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
