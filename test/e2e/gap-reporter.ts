import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { gapsHere } from "./known-gaps.ts";

/** Says what the emulator could not do, and fails the run if no test has the name of a gap. */
export default class GapReporter implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const names = new Map(
      modules.map(({ moduleId, children }) => [
        relative(".", moduleId),
        new Set([...children.allTests()].map(({ fullName }) => fullName)),
      ]),
    );
    for (const { file, test, reason, link } of await gapsHere()) {
      const tests = names.get(file);
      if (tests?.has(test)) print(`A gap of the emulator: ${test}\n  It ${reason} (${link}).`);
      if (tests === undefined || tests.has(test)) continue;
      print(`${file} has no test "${test}": take its row out of test/e2e/known-gaps.ts.`);
      process.exitCode = 1;
    }
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
