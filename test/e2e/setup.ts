import type { TestProject } from "vitest/node";
import prepareRuntime from "../support/prepare-runtime.ts";
import { startTestRuntime } from "../support/runtime.ts";
import { deployedTarget } from "./deployment.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The data folder of the runtime that files share; undefined where the tests run on a deployed stack. */
    sharedDataDir: string | undefined;
  }
}

/** Starts one runtime for all files but those that need their own. A deployed stack needs none. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  project.provide("sharedDataDir", undefined);
  if (deployedTarget() !== undefined) return undefined;
  const removePrepared = await prepareRuntime(project);
  const runtime = await startTestRuntime(project.getProvidedContext());
  project.provide("sharedDataDir", runtime.dataDir);
  return async () => {
    await runtime.remove();
    await removePrepared();
  };
}
