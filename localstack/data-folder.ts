import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Takes a data folder for this process, empty if `fresh`; returns how to give it back.
 * @throws Error that names the process that has it
 */
export async function takeDataFolder(dataDir: string, fresh: boolean): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true });
  const lock = join(dataDir, LOCK);
  const owner = await runningOwner(lock);
  if (owner !== undefined) {
    throw new Error(`${dataDir} is in use by process ${owner}. Stop it, or name another folder with --data-dir.`);
  }
  await writeFile(lock, String(process.pid));
  if (fresh) {
    const entries = (await readdir(dataDir)).filter((name) => name !== LOCK);
    await Promise.all(entries.map((name) => rm(join(dataDir, name), { recursive: true, force: true })));
  }
  return () => rm(lock, { force: true });
}

const LOCK = "runtime.pid";

/** The process in the lock if it still runs; a lock that a killed process left behind counts for nothing. */
async function runningOwner(lock: string): Promise<number | undefined> {
  const pid = Number(await readFile(lock, "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? pid : undefined;
  }
}
