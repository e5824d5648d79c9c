import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import prepareRuntime from "../../support/prepare-runtime.ts";
import { writeCases } from "./measured.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The file for the measurements of each case, a line each. */
    resultsFile: string;
    /** `pull-request`: a few hundred events a case, seconds; `full`: ten thousand, minutes. */
    faultSize: "pull-request" | "full";
  }
}

/** For all files of the fault suite: the synthesized app, and the results, of which a full run writes a page. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-faults-"));
  const resultsFile = join(folder, "results.ndjson");
  await writeFile(resultsFile, "");
  const faultSize = process.env["FAULTS"] === "full" ? "full" : "pull-request";
  project.provide("resultsFile", resultsFile);
  project.provide("faultSize", faultSize);
  const removePrepared = await prepareRuntime(project);
  return async () => {
    const failed = project.vitest.state.getCountOfFailedTests();
    if (faultSize === "full" && failed === 0) {
      const about = `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, all cases green.`;
      const missing = writeCases(resultsFile, about);
      if (missing.length > 0)
        process.stderr.write(`docs/reliability.md is as it was; not run: ${missing.join(", ")}\n`);
    }
    await removePrepared();
    await rm(folder, { recursive: true, force: true });
  };
}
