import type { TestProject } from "vitest/node";
import prepareRuntime from "../../support/prepare-runtime.ts";
import { CHROMIUM } from "./find-chromium.ts";

/** Prepares what the tests of the page need, or says that they are skipped. */
export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (CHROMIUM !== undefined) return prepareRuntime(project);
  process.stderr.write(
    "There is no Chromium here, so the tests of the operator's page are skipped: install it, or name it in CHROMIUM.\n",
  );
  return undefined;
}
