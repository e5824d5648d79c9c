import { link, readFile, rm, writeFile } from "node:fs/promises";

/**
 * Makes this process the only one that replays with a journal: a file beside it that holds the process id and is created
 * exclusively. One that a killed process left is taken over. Answers what gives it back.
 * @throws Error that names the process that replays now
 */
export async function lockJournal(journal: string): Promise<() => Promise<void>> {
  const path = `${journal}.lock`;
  const own = `${path}.${process.pid}`;
  // A link appears with its content: nobody sees a lock without a process.
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
          `Process ${pid} replays these letters now; wait for it, or stop it. If that process is no replay, delete ${path}.`,
        );
      await rm(path, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Whose events were replayed is nobody else's business. */
const OWNER_ONLY = 0o600;

function runs(pid: number): boolean {
  // Another container may have had the id that this process has.
  if (!Number.isSafeInteger(pid) || pid < 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
