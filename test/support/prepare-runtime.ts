import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { synthesize } from "../../localstack/template/synthesize.ts";
import prepareCluster from "./prepare-cluster.ts";
import { temporaryFolder } from "./temporary-folder.ts";

declare module "vitest" {
  export interface ProvidedContext {
    assemblyDir: string;
  }
}

/** Prepares once a run what every file needs that starts a runtime: the synthesized app and a PostgreSQL cluster. */
export default async function prepareRuntime(project: TestProject): Promise<() => Promise<void>> {
  const removeCluster = await prepareCluster(project);
  const removeAssembly = await synthesizeOnce(project);
  return async () => {
    await removeAssembly?.();
    await removeCluster?.();
  };
}

async function synthesizeOnce({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  if ("assemblyDir" in vitest.getProvidedContext()) return undefined;
  const folder = await temporaryFolder();
  const assemblyDir = join(folder.path, "cdk.out");
  await synthesize({ projectDir: ".", outDir: assemblyDir });
  vitest.provide("assemblyDir", assemblyDir);
  return folder.remove;
}
