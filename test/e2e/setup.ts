import type { TestProject } from "vitest/node";
import prepareRuntime from "../support/prepare-runtime.ts";
import { deployedTarget } from "./deployment.ts";

/** What is deployed needs no synthesis. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  return deployedTarget() === undefined ? prepareRuntime(project) : undefined;
}
