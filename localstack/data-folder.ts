import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, startTimeOf } from "./postgres/process-table.ts";

/**
 * Locks a data folder for this process and empties it if `fresh`; the returned function releases it.
 * @throws Error that names the process that uses it
 */
export async function takeDataFolder(dataDir: string, fresh: boolean): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true });
  const lock = join(dataDir, LOCK);
  await takeLock(lock, dataDir);
  if (fresh) {
    const entries = (await readdir(dataDir)).filter((name) => name !== LOCK);
    await Promise.all(entries.map((name) => rm(join(dataDir, name), { recursive: true, force: true })));
  }
  return () => rm(lock, { force: true });
}

/** The process that uses a data folder, if any. */
export async function ownerOf(dataDir: string): Promise<number | undefined> {
  return runningOwner(await readFile(join(dataDir, LOCK), "utf8").catch(() => ""));
}

const LOCK = "runtime.pid";

/** A lock is empty only for a moment; one that is empty for longer than this belongs to a process that died. */
const EMPTY_LOCK_MS = 1_000;
const EMPTY_LOCK_PAUSE_MS = 50;

async function takeLock(lock: string, dataDir: string): Promise<void> {
  const own = JSON.stringify({ pid: process.pid, started: startTimeOf(process.pid) });
  for (const deadline = Date.now() + EMPTY_LOCK_MS; ; ) {
    try {
      // Fails if the file exists, so that of two runtimes that start at once only one gets the folder.
      return await writeFile(lock, own, { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const found = await readFile(lock, "utf8").catch(() => "");
    const owner = runningOwner(found);
    if (owner !== undefined) {
      throw new Error(
        `${dataDir} is in use by process ${owner}. Stop it, or name another folder with --data-dir. ` +
          `If that process is no Sluice, delete ${lock}.`,
      );
    }
    if (found === "" && Date.now() < deadline) await delay(EMPTY_LOCK_PAUSE_MS);
    else await removeStale(lock, found);
  }
}

/** Removes a dead process's lock, unless another start has already replaced it by its own. */
async function removeStale(lock: string, stale: string): Promise<void> {
  const aside = `${lock}.${process.pid}`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const taken = await readFile(aside, "utf8");
  if (taken !== stale) await writeFile(lock, taken, { flag: "wx" }).catch(() => undefined);
  await rm(aside, { force: true });
}

/** The process in the lock, if it still runs. Process ids are reused, so its start time is compared too. */
function runningOwner(lock: string): number | undefined {
  const { pid, started } = parse(lock);
  if (pid === undefined || !isAlive(pid)) return undefined;
  return startTimeOf(pid) === started ? pid : undefined;
}

function parse(lock: string): { pid?: number; started?: string } {
  try {
    const { pid, started } = JSON.parse(lock) as { pid?: number; started?: string };
    return Number.isInteger(pid) && Number(pid) > 0 ? { pid: Number(pid), ...(started ? { started } : {}) } : {};
  } catch {
    return {};
  }
}
