import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import type { ArchiveFiles } from "../../core/archive-files.ts";

/** Keeps the archive in a folder, for example a copy of the bucket on a laptop. */
export function createArchiveFolder(root: string): ArchiveFiles {
  const pathOf = (key: string) => join(root, ...key.split("/"));
  return {
    async put(key, bytes) {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true });
      const unfinished = `${path}.unfinished`;
      const file = await open(unfinished, "w", 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
    },

    async get(key) {
      try {
        return await readFile(pathOf(key));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },

    async *list(prefix) {
      const names = await readdir(root, { recursive: true, withFileTypes: true });
      const keys = names
        .filter((entry) => entry.isFile() && !entry.name.endsWith(".unfinished"))
        .map(({ parentPath, name }) => join(parentPath, name).slice(root.length).split(sep).filter(Boolean).join("/"));
      for (const key of keys.toSorted(compareBytes)) if (key.startsWith(prefix)) yield key;
    },

    async *folders(folder) {
      const entries = await readdir(pathOf(folder), { withFileTypes: true }).catch(() => []);
      const keys = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}${name}/`);
      yield* keys.toSorted(compareBytes);
    },

    delete: (key) => rm(pathOf(key), { force: true }),
  };
}

/** The order of S3, which is that of the bytes. */
const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
