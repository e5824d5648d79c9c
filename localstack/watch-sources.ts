import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "./message-of.ts";
import { INPUT_FILES, SOURCE_FOLDERS } from "./template/synthesis-key.ts";

/** A change is applied once this time has passed without another: editors write a file in several steps. */
const POLL_MS = 200;

/**
 * Calls `onChange` after sources changed since the snapshot `since`, which is taken before the code that runs is built: a
 * file that is saved during the start is no less a change. There is one call at a time. A failure is logged; the code that
 * ran goes on running.
 *
 * It compares times, sizes and inodes of the files (about a hundred) instead of asking the system: on Linux, Node's
 * recursive `fs.watch` no longer sees a file that was once replaced by a rename, which is how most editors save.
 */
export function watchSources(
  { projectDir, since }: { projectDir: string; since: string },
  onChange: () => Promise<void>,
  log: (line: string) => void,
) {
  let seen = since;
  let changed = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const reload = () =>
    onChange().catch((error: unknown) => {
      if (!stopped) log(`Not reloaded: ${messageOf(error)}`);
    });
  const poll = async (): Promise<void> => {
    const now = await snapshotSources(projectDir);
    if (stopped) return;
    if (now !== seen) {
      changed = true;
    } else if (changed) {
      changed = false;
      running = running.then(() => (stopped ? undefined : reload()));
    }
    seen = now;
    timer = setTimeout(() => {
      polling = poll();
    }, POLL_MS);
  };
  let polling = poll();

  return {
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await polling;
      await running;
    },
  };
}

/** A text that changes whenever a file is written, replaced, added or deleted. */
export async function snapshotSources(projectDir: string): Promise<string> {
  const listed = await Promise.all(SOURCE_FOLDERS.map((folder) => listFiles(join(projectDir, folder))));
  const files = INPUT_FILES.map((file) => join(projectDir, file));
  const lines = await Promise.all(
    [...listed.flat(), ...files].map(async (path) => {
      const found = await stat(path).catch(() => undefined);
      return found === undefined ? "" : `${path} ${found.mtimeMs} ${found.size} ${found.ino}`;
    }),
  );
  return lines.toSorted().join("\n");
}

/** The files in a folder without hidden ones, such as an editor's locks; none if the folder is deleted while it is read. */
async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const isSource = (entry: Dirent) => !entry.isDirectory() && !entry.name.startsWith(".");
  return entries.filter(isSource).map((entry) => join(entry.parentPath, entry.name));
}
