import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

/** The process that uses a data folder. */
type Owner = {
  pid: number;
  /** Whether `pid` means that process here too: another container counts its processes by itself. */
  isHere: boolean;
};

/**
 * Locks a data folder for this process and empties it if `fresh`; the returned function releases it.
 * @throws Error that names the process that uses it, or that says that the folder to be emptied is no data folder; nothing
 *   in the folder has changed then
 */
export async function takeDataFolder(dataDir: string, fresh: boolean): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true });
  if (fresh) await refuseForeignFolder(dataDir);
  const lock = await takeLock(dataDir);
  held.add(lock);
  const owner = join(dataDir, OWNER);
  await writeFile(owner, JSON.stringify({ pid: process.pid, space: processSpace() }));
  if (fresh) {
    const entries = (await readdir(dataDir)).filter((name) => name !== LOCK && name !== OWNER);
    await Promise.all(entries.map((name) => rm(join(dataDir, name), { recursive: true, force: true })));
  }
  return async () => {
    await rm(owner, { force: true });
    if (held.delete(lock)) lock.close();
  };
}

/** The one file that may be there before the lock: emulator/up.ts writes it before it starts LocalStack by Docker. */
export const COMPOSE_FILE = "compose-project";

/** Keeps what is not Sluice's: an empty folder and one that was a data folder before may be emptied. */
async function refuseForeignFolder(dataDir: string): Promise<void> {
  const entries = await readdir(dataDir);
  if (entries.includes(LOCK) || entries.every((name) => name === COMPOSE_FILE)) return;
  throw new Error(
    `${dataDir} has files and is no data folder of Sluice, so nothing in it was deleted. Name an empty or a new folder with --data-dir.`,
  );
}

/** The process that uses a data folder, if any. */
export async function ownerOf(dataDir: string): Promise<Owner | undefined> {
  if (!existsSync(join(dataDir, LOCK))) return undefined;
  const lock = tryLock(dataDir);
  if (lock === undefined) return recordedOwner(dataDir);
  lock.close();
  return undefined;
}

/**
 * The lock is that of SQLite on this empty file: a lock of the operating system. It ends with its process, however that
 * ends, survives a sleep of the machine, and holds for the processes of every container on it, where process ids mean
 * nothing. The file stays, because a lock on a deleted file would not keep anybody out.
 */
const LOCK = "runtime.lock";

/** The owner of the lock, for messages and for `down`. */
const OWNER = "runtime.pid";

/** A question for the owner locks the folder for a moment too; a lock that lasts longer is a runtime's. */
const PATIENCE_MS = 1_000;
const PAUSE_MS = 50;

/** The locks of this process. A lock that nobody refers to would be collected, and its file closed. */
const held = new Set<DatabaseSync>();

async function takeLock(dataDir: string): Promise<DatabaseSync> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await delay(PAUSE_MS)) {
    const lock = tryLock(dataDir);
    if (lock !== undefined) return lock;
    if (Date.now() < deadline) continue;
    const owner = await recordedOwner(dataDir);
    const where = owner?.isHere === false ? " of another container" : "";
    const who = owner === undefined ? "another process" : `process ${owner.pid}${where}`;
    throw new Error(`${dataDir} is in use by ${who}. Stop it, or name another folder with --data-dir.`);
  }
}

function tryLock(dataDir: string): DatabaseSync | undefined {
  const database = new DatabaseSync(join(dataDir, LOCK));
  try {
    // Without a journal on disk: nothing is ever written.
    database.exec("pragma journal_mode = memory; begin exclusive");
    return database;
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

async function recordedOwner(dataDir: string): Promise<Owner | undefined> {
  try {
    const { pid, space } = JSON.parse(await readFile(join(dataDir, OWNER), "utf8")) as { pid: number; space: string };
    return { pid, isHere: space === processSpace() };
  } catch {
    // The owner has not written it yet.
    return undefined;
  }
}

/** Equal for processes that see each other's ids: on Linux, those of one PID namespace of one boot. */
function processSpace(): string {
  try {
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return process.platform;
  }
}
