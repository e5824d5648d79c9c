import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { readAssembly } from "./assembly.ts";

/**
 * Moves a new cloud assembly over the one in `outDir`. Asset folders are named by their content, so those of the last
 * assembly and those `inUse` stay beside the new ones: running functions keep their files, however many assemblies
 * were not applied. Older folders are deleted.
 */
export async function replaceAssembly(fresh: string, outDir: string, inUse: readonly string[] = []): Promise<void> {
  await mkdir(outDir, { recursive: true });
  const last = await readAssembly(outDir).catch(() => undefined);
  const kept = new Set([...(last?.assetPaths ?? []), ...inUse].map((path) => basename(path)));
  for (const name of await readdir(outDir)) {
    if (!kept.has(name)) await rm(join(outDir, name), { recursive: true, force: true });
  }
  const present = new Set(await readdir(outDir));
  for (const name of await readdir(fresh)) {
    if (!kept.has(name) || !present.has(name)) await rename(join(fresh, name), join(outDir, name));
  }
  await rm(fresh, { recursive: true, force: true });
}
