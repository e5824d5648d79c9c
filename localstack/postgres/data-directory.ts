import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, chownSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { realpathSync, renameSync, rmdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { stopStaleServer } from "./stop-stale-server.ts";

/** The folder of a cluster, and the OS user that runs it. */
export type DataDirectory = {
  /** Folder that holds the cluster (`cluster/`) and its password. */
  dir: string;
  /** The user that runs PostgreSQL when this process is root; PostgreSQL refuses to run as root. */
  user: OsUser | undefined;
};

export type OsUser = { uid: number; gid: number };

/**
 * Prepares the folder for the cluster of `dataDir`: `dataDir` itself wherever that works.
 *
 * Only root needs more. PostgreSQL then runs as an unprivileged user, who may be unable to reach the data directory, for
 * example below a checkout in a `mktemp -d` folder (mode 0700). In that case the folder is created in a reachable place
 * under a name derived from the data directory's path, and `dataDir` becomes a symbolic link to it. Once the link is
 * deleted, the next start deletes that folder and begins with an empty one.
 */
export async function prepareDataDirectory(dataDir: string): Promise<DataDirectory> {
  if (process.getuid?.() !== 0) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return { dir: dataDir, user: undefined };
  }
  if (isLink(dataDir) && !existsSync(dataDir)) rmSync(dataDir);
  const user = ownerOf(dataDir) ?? unprivilegedUser();
  return { dir: isLink(dataDir) ? realpathSync(dataDir) : await reachableFolder(dataDir, user), user };
}

/** Root's folder for files that an unprivileged user must reach; everyone may pass through it, nobody may list it. */
export function reachableBase(): string {
  mkdirSync(REACHABLE_BASE, { recursive: true });
  const { uid } = lstatSync(REACHABLE_BASE);
  if (uid !== 0 || !lstatSync(REACHABLE_BASE).isDirectory()) {
    throw new Error(`${REACHABLE_BASE} belongs to user ${uid}, not to root. Remove it, or start as a normal user.`);
  }
  chmodSync(REACHABLE_BASE, 0o711);
  return REACHABLE_BASE;
}

async function reachableFolder(dataDir: string, user: OsUser): Promise<string> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  giveTo(user, dataDir);
  if (canWrite(user, dataDir)) return dataDir;

  const target = join(reachableBase(), createHash("sha256").update(dataDir).digest("hex").slice(0, 16));
  await stopStaleServer(join(target, "cluster"));
  rmSync(target, { recursive: true, force: true });
  moveTo(target, dataDir);
  giveTo(user, target);
  symlinkSync(target, dataDir);
  return target;
}

/** The user that created this cluster, who goes on running it even when root starts it. */
function ownerOf(dataDir: string): OsUser | undefined {
  const cluster = join(dataDir, "cluster");
  if (!existsSync(cluster)) return undefined;
  const { uid, gid } = statSync(cluster);
  return uid === 0 ? undefined : { uid, gid };
}

function unprivilegedUser(): OsUser {
  for (const name of UNPRIVILEGED_USERS) {
    const id = (flag: string) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout || Number.NaN);
    const user = { uid: id("-u"), gid: id("-g") };
    if (user.uid > 0 && user.gid > 0) return user;
  }
  throw new Error(`PostgreSQL refuses to run as root, and there is no user ${UNPRIVILEGED_USERS.join(" or ")} here.`);
}

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

/** Tries to write as that user, because modes of every parent, ACLs and mount options all matter. */
function canWrite(user: OsUser, dir: string): boolean {
  const script = 'cd "$1" && : > .reachable && rm .reachable';
  return spawnSync("/bin/sh", ["-c", script, "sh", dir], { ...user, cwd: "/", stdio: "ignore" }).status === 0;
}

/** Changes the owner, but not of a cluster that the user owns already: a server that is just ending may delete files there. */
function giveTo(user: OsUser, dir: string): void {
  chownSync(dir, user.uid, user.gid);
  const isEmpty = readdirSync(dir).length === 0;
  if (!isEmpty && ownerOf(dir)?.uid !== user.uid) execFileSync("chown", ["-R", `${user.uid}:${user.gid}`, dir]);
}

/** Moves a folder, across file systems if need be. */
function moveTo(target: string, from: string): void {
  if (readdirSync(from).length === 0) {
    rmdirSync(from);
    mkdirSync(target, { mode: 0o700 });
    return;
  }
  try {
    renameSync(from, target);
  } catch {
    cpSync(from, target, { recursive: true, preserveTimestamps: true });
    rmSync(from, { recursive: true });
  }
}

/** Not under the temporary folder of this process: that folder may be private to root, and a restart deletes it. */
const REACHABLE_BASE = "/var/tmp/sluice-postgres";

/** `postgres` exists where a distribution's package created it; `nobody` exists on every system. */
const UNPRIVILEGED_USERS = ["postgres", "nobody"];
