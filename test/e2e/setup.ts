import type { TestProject } from "vitest/node";
import prepareRuntime from "../support/prepare-runtime.ts";
import { deployedPlace } from "./place.ts";

/** What is deployed needs no synthesis. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  return deployedPlace() === undefined ? prepareRuntime(project) : undefined;
}
