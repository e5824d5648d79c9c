import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { childEnvironment } from "../child-environment.ts";
import { onAbort } from "../on-abort.ts";
import { startWatchdog } from "../watchdog.ts";
import { connectionSettings } from "./connection-settings.ts";
import type { DataDirectory, OsUser } from "./data-directory.ts";
import { signalIfAlive } from "./process-table.ts";

/** The role that owns the database. Aurora's master user is no superuser, so neither is this one. */
export const DATABASE_ROLE = "sluice";

/** Roles that a member of RDS's `rds_superuser` has: it sees the sessions of all users, and may end them. */
const ROLES_OF_MASTER = "pg_monitor, pg_signal_backend";

/** Creates the cluster if there is none. An unfinished one is created again. */
export async function createCluster({ dir, user }: DataDirectory, initdb: string, signal?: AbortSignal): Promise<void> {
  const cluster = join(dir, "cluster");
  if (existsSync(cluster)) return;
  const unfinished = join(dir, "cluster.new");
  await rm(unfinished, { recursive: true, force: true });
  await writeFile(passwordFile(dir), randomBytes(16).toString("hex"), { mode: 0o600 });
  if (user) await chown(passwordFile(dir), user.uid, user.gid);

  const words = [`--pgdata=${unfinished}`, `--pwfile=${passwordFile(dir)}`, `--username=${SUPERUSER}`];
  await runInitdb(initdb, [...words, ...INITDB_FLAGS], user, signal);
  await rename(unfinished, cluster);
}

/**
 * Runs initdb to its end, or ends it with the servers that it starts when the signal fires. It waits for that end: a
 * process that still writes into the folder would disturb whoever deletes it.
 */
async function runInitdb(initdb: string, words: string[], user: OsUser | undefined, signal?: AbortSignal) {
  signal?.throwIfAborted();
  const env = { ...childEnvironment(), LC_ALL: "C" };
  const child = spawn(initdb, words, { ...user, cwd: "/", detached: true, env, stdio: ["ignore", "pipe", "pipe"] });
  startWatchdog(child, "kill group");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const forget = signal && onAbort(signal, () => child.pid !== undefined && signalIfAlive(-child.pid, "SIGKILL"));
  const [code] = (await once(child, "close")) as [number | null];
  forget?.();
  signal?.throwIfAborted();
  if (code !== 0) throw new Error(`initdb ended with ${code}:\n${output.trim()}`);
}

/** Creates the role and the database if they are missing. */
export async function createDatabase(superuserUrl: string, databaseName: string): Promise<void> {
  const settings = connectionSettings(superuserUrl);
  const client = new Client(settings);
  await client.connect();
  try {
    const { rows } = await client.query<{ role: boolean; database: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as role,
              exists (select from pg_database where datname = $2) as database`,
      [DATABASE_ROLE, databaseName],
    );
    const role = escapeIdentifier(DATABASE_ROLE);
    if (!rows[0]?.role)
      await client.query(`create role ${role} login createrole password ${escapeLiteral(String(settings.password))}`);
    await client.query(`grant ${ROLES_OF_MASTER} to ${role}`);
    if (!rows[0]?.database) await client.query(`create database ${escapeIdentifier(databaseName)} owner ${role}`);
  } finally {
    await client.end();
  }
}

/** The cluster's password, generated with it: other users of this machine must not reach the database. */
export async function readPassword(dir: string): Promise<string> {
  return (await readFile(passwordFile(dir), "utf8")).trim();
}

const passwordFile = (dir: string): string => join(dir, "password");

export const SUPERUSER = "postgres";

/** ICU's English order replaces Aurora's default collation, en_US.UTF-8, which this machine may not have. */
const INITDB_FLAGS = [
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=icu",
  "--icu-locale=en-US",
];
