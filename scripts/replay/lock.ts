import { link, readFile, rm, writeFile } from "node:fs/promises";

/**
 * Locks a journal for this process, by a file beside it with the process id. A lock that a killed process left is
 * replaced. Returns the function that unlocks.
 * @throws Error that names the process that replays now
 */
export async function lockJournal(journal: string): Promise<() => Promise<void>> {
  const path = `${journal}.lock`;
  const own = `${path}.${process.pid}`;
  // A link appears with its content, so a lock always names a process.
  await writeFile(own, String(process.pid), { mode: OWNER_ONLY });
  try {
    for (;;) {
      try {
        await link(own, path);
        return () => rm(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const pid = Number(await readFile(path, "utf8").catch(() => ""));
      if (runs(pid))
        throw new Error(
          `Process ${pid} replays these dead letters now; wait for it, or stop it. If that process is no replay, delete ${path}.`,
        );
      await rm(path, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Like the journal. */
const OWNER_ONLY = 0o600;

function runs(pid: number): boolean {
  // Another container's process may have had the id of this one.
  if (!Number.isSafeInteger(pid) || pid < 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
