import { randomUUID } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { setPassword } from "../../functions/adapters/data-api/set-password.ts";
import { DATABASE_USERS, type DatabaseCredentials, type DatabaseRole } from "../../functions/core/database-roles.ts";
import type { ExecuteSql, SqlDatabase, SqlValue } from "../../functions/core/ports.ts";
import { createMigrate } from "../../functions/migrate/migrate.ts";
import { startPostgres } from "../../localstack/postgres/postgres.ts";
import { copyCluster, makeDataDir } from "./cluster.ts";
import { MIGRATIONS, NOW } from "./migrations.ts";
import prepareCluster from "./prepare-cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    databaseServer: {
      /** Of the role that may create databases. */
      superuserUrl: string;
      /** Of the role that owns the databases of tests, for the database of which migrated ones are copies. */
      ownerUrl: string;
      /** The writer and the reader, whose rights in a database its migrations give. */
      users: Record<DatabaseRole, DatabaseCredentials>;
    };
  }
}

/** PostgreSQL past the Data API, which a server for the whole run does not need. */
function sqlDatabase(client: Client): SqlDatabase {
  const execute: ExecuteSql = async (sql, parameters) => {
    const names = Object.keys(parameters);
    const text = names.reduce((all, name, index) => all.replaceAll(`:${name}`, `$${index + 1}`), sql);
    const values = Object.values(parameters);
    const { rows, rowCount } = await client.query<SqlValue[]>({ text, values, rowMode: "array" });
    return { rows, updated: rowCount ?? 0 };
  };
  return {
    execute,
    async transaction(work) {
      await client.query("begin");
      const result = await work(execute);
      await client.query("commit");
      return result;
    },
  };
}

/**
 * Migrates the database `events`, of which migrated databases are copies, and sets the passwords: users belong to the server,
 * and two test files that set them at the same time would disturb each other.
 */
async function migrateTemplate(ownerUrl: string): Promise<Record<DatabaseRole, DatabaseCredentials>> {
  const userOf = (role: DatabaseRole) => ({ username: DATABASE_USERS[role][0], password: randomUUID() });
  const users = { writer: userOf("writer"), reader: userOf("reader") };
  const client = new Client(ownerUrl);
  await client.connect();
  try {
    const credentials = async () => Object.values(users);
    const migrate = createMigrate({ database: sqlDatabase(client), clock: () => NOW, credentials, setPassword });
    await migrate(MIGRATIONS, Date.now() + 60_000);
    return users;
  } finally {
    await client.end();
  }
}

/** Settings for a server of which nothing is kept. Vacuuming by the clock would change plans in the middle of a test. */
const SETTINGS = `
autovacuum = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
checkpoint_timeout = 1h
`;

/** Runs one PostgreSQL for all test files that need a database and leave the server itself alone. */
export default async function startDatabaseServer(project: TestProject): Promise<() => Promise<void>> {
  const removePrepared = await prepareCluster(project);
  const folder = await makeDataDir();
  await copyCluster(project.getProvidedContext().preparedCluster, folder.path);
  await appendFile(join(folder.path, "cluster", "postgresql.auto.conf"), SETTINGS);
  const postgres = await startPostgres({ dataDir: folder.path, databaseName: "events" });
  const superuser = new URL(postgres.url);
  superuser.username = "postgres";
  superuser.password = (await readFile(join(postgres.dataDir, "password"), "utf8")).trim();
  superuser.pathname = "/postgres";
  const users = await migrateTemplate(postgres.url);
  project.provide("databaseServer", { superuserUrl: superuser.href, ownerUrl: postgres.url, users });
  return async () => {
    await postgres.stop("immediate");
    await folder.remove();
    await removePrepared?.();
  };
}
