import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { setPassword } from "../../functions/adapters/data-api/set-password.ts";
import { readMigrations } from "../../functions/adapters/files/read-migrations.ts";
import { DATABASE_USERS, type DatabaseCredentials, type DatabaseRole } from "../../functions/core/database-roles.ts";
import type { ExecuteSql } from "../../functions/core/ports.ts";
import { splitStatements } from "../../functions/migrate/split-statements.ts";
import { startPostgres } from "../../localstack/postgres/postgres.ts";
import { copyCluster, makeDataDir } from "./cluster.ts";
import prepareCluster from "./prepare-cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    databaseServer: {
      /** Of the role that may create databases. */
      superuserUrl: string;
      /** Of the role that owns the databases of tests. */
      ownerUrl: string;
      /** The writer and the reader, whose rights in a database its migrations give. */
      users: Record<DatabaseRole, DatabaseCredentials>;
    };
  }
}

/**
 * Migrates the database `events`, and sets the passwords: users belong to the server, and two test files that set them at the
 * same time would disturb each other.
 */
async function createUsers(ownerUrl: string): Promise<Record<DatabaseRole, DatabaseCredentials>> {
  const client = new Client(ownerUrl);
  await client.connect();
  try {
    const folder = fileURLToPath(new URL("../../functions/sql", import.meta.url));
    for (const { sql } of readMigrations(folder)) {
      for (const statement of splitStatements(sql)) await client.query(statement);
    }
    const execute: ExecuteSql = async (sql, parameters) => {
      const names = Object.keys(parameters);
      const text = names.reduce((all, name, index) => all.replace(`:${name}`, `$${index + 1}`), sql);
      await client.query(text, Object.values(parameters));
      return { rows: [], updated: 0 };
    };
    const userOf = async (role: DatabaseRole) => {
      const user = { username: DATABASE_USERS[role][0], password: randomUUID() };
      await setPassword(execute, user, Date.now());
      return user;
    };
    return { writer: await userOf("writer"), reader: await userOf("reader") };
  } finally {
    await client.end();
  }
}

/** Runs one PostgreSQL for all test files that need a database and leave the server itself alone. */
export default async function startDatabaseServer(project: TestProject): Promise<() => Promise<void>> {
  const removePrepared = await prepareCluster(project);
  const folder = await makeDataDir();
  await copyCluster(project.getProvidedContext().preparedCluster, folder.path);
  const postgres = await startPostgres({ dataDir: folder.path, databaseName: "events" });
  const superuser = new URL(postgres.url);
  superuser.username = "postgres";
  superuser.password = (await readFile(join(postgres.dataDir, "password"), "utf8")).trim();
  superuser.pathname = "/postgres";
  const users = await createUsers(postgres.url);
  project.provide("databaseServer", { superuserUrl: superuser.href, ownerUrl: postgres.url, users });
  return async () => {
    await postgres.stop("immediate");
    await folder.remove();
    await removePrepared?.();
  };
}
