import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { synthesize } from "../localstack/template/synthesize.ts";

declare module "vitest" {
  export interface ProvidedContext {
    assemblyDir: string;
  }
}

/** Synthesizes the app once for all files that run it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
  const assemblyDir = join(folder, "cdk.out");
  await synthesize({ projectDir: ".", outDir: assemblyDir });
  project.provide("assemblyDir", assemblyDir);
  return () => rm(folder, { recursive: true, force: true });
}
