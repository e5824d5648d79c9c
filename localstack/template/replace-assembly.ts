import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { readAssembly } from "./assembly.ts";

/**
 * Moves a fresh cloud assembly over the one in `outDir`. Asset folders are named by their content, so the last
 * assembly's stay beside the new ones: functions that still run from them keep their files. Older ones are deleted.
 */
export async function replaceAssembly(fresh: string, outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true });
  const last = await readAssembly(outDir).catch(() => undefined);
  const inUse = new Set((last?.assetPaths ?? []).map((path) => basename(path)));
  for (const name of await readdir(outDir)) {
    if (!inUse.has(name)) await rm(join(outDir, name), { recursive: true, force: true });
  }
  for (const name of await readdir(fresh)) {
    if (!inUse.has(name)) await rename(join(fresh, name), join(outDir, name));
  }
  await rm(fresh, { recursive: true, force: true });
}
