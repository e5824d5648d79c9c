import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import type { DataDirectory } from "./data-directory.ts";

/** The role that owns the database. Aurora's master user is no superuser, so neither is this one. */
export const DATABASE_ROLE = "sluice";

/** Creates the cluster if there is none. An unfinished one is created again. */
export async function createCluster({ dir, user }: DataDirectory, initdb: string, signal?: AbortSignal): Promise<void> {
  const cluster = join(dir, "cluster");
  if (existsSync(cluster)) return;
  const unfinished = join(dir, "cluster.new");
  await rm(unfinished, { recursive: true, force: true });
  await writeFile(passwordFile(dir), randomBytes(16).toString("hex"), { mode: 0o600 });
  if (user) await chown(passwordFile(dir), user.uid, user.gid);

  await promisify(execFile)(
    initdb,
    [`--pgdata=${unfinished}`, `--pwfile=${passwordFile(dir)}`, `--username=${SUPERUSER}`, ...INITDB_FLAGS],
    { ...user, cwd: "/", env: { ...process.env, LC_ALL: "C" }, ...(signal && { signal }) },
  );
  await rename(unfinished, cluster);
}

/** Creates the role and the database if they are missing. */
export async function createDatabase(dir: string, port: number, databaseName: string): Promise<void> {
  const password = await readPassword(dir);
  const client = new Client({ host: "127.0.0.1", port, user: SUPERUSER, password, database: "postgres" });
  await client.connect();
  try {
    const { rows } = await client.query<{ role: boolean; database: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as role,
              exists (select from pg_database where datname = $2) as database`,
      [DATABASE_ROLE, databaseName],
    );
    const role = escapeIdentifier(DATABASE_ROLE);
    if (!rows[0]?.role) await client.query(`create role ${role} login createrole password ${escapeLiteral(password)}`);
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

const SUPERUSER = "postgres";

/** ICU's English order replaces Aurora's default collation, en_US.UTF-8, which this machine may not have. */
const INITDB_FLAGS = [
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=icu",
  "--icu-locale=en-US",
];
