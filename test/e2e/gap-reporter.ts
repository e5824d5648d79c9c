import type { Reporter, TestModule } from "vitest/node";
import { reportGaps } from "./gap-report.ts";
import { gapsHere } from "./known-gaps.ts";

export default class GapReporter implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    reportGaps(await gapsHere(), modules);
  }
}
