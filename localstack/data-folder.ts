import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Takes a data folder for this process, empty if `fresh`; returns how to give it back.
 * @throws Error that names the process that has it
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

/** The process that has a data folder, if one does. */
export async function ownerOf(dataDir: string): Promise<number | undefined> {
  return runningOwner(await readFile(join(dataDir, LOCK), "utf8").catch(() => ""));
}

const LOCK = "runtime.pid";

/** A lock is written in one go; one that is empty for longer than this was left by a process that died over it. */
const EMPTY_LOCK_MS = 1_000;
const EMPTY_LOCK_PAUSE_MS = 50;

async function takeLock(lock: string, dataDir: string): Promise<void> {
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  for (const deadline = Date.now() + EMPTY_LOCK_MS; ; ) {
    try {
      // Fails if the file is there: of two runtimes that start at once one gets it.
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

/** Takes a dead process's lock away, unless another starter has done so and put its own there in the meantime. */
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

/** The process in the lock if that very process still runs; process ids are used again, start times are not. */
function runningOwner(lock: string): number | undefined {
  const { pid, started } = parse(lock);
  if (pid === undefined || !isAlive(pid)) return undefined;
  return startOf(pid) === started ? pid : undefined;
}

function parse(lock: string): { pid?: number; started?: string } {
  try {
    const { pid, started } = JSON.parse(lock) as { pid?: number; started?: string };
    return Number.isInteger(pid) && Number(pid) > 0 ? { pid: Number(pid), ...(started ? { started } : {}) } : {};
  } catch {
    return {};
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process started, as a text that no other process with this id has; undefined where nobody can say. */
function startOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    try {
      // Field 22 of proc_pid_stat(5), in clock ticks since boot; the second field is a name that may hold spaces.
      const ticks = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19];
      return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${ticks}`;
    } catch {
      return undefined;
    }
  }
  const { stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
  return stdout?.trim() || undefined;
}
