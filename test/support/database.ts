import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Client, escapeIdentifier, type QueryResultRow } from "pg";
import { inject, vi } from "vitest";
import { createDataApi } from "../../functions/adapters/data-api/data-api.ts";
import { setPassword } from "../../functions/adapters/data-api/set-password.ts";
import { readMigrations } from "../../functions/adapters/files/read-migrations.ts";
import type { DatabaseCredentials, DatabaseRole } from "../../functions/core/database-roles.ts";
import type { Migration, SqlDatabase } from "../../functions/core/ports.ts";
import { createMigrate, type MigrateResult } from "../../functions/migrate/migrate.ts";
import { startDataApi } from "../../localstack/data-api/data-api.ts";
import type { Faults } from "../../localstack/data-api/faults.ts";
import { secretOfUrl } from "../../localstack/data-api/secrets.ts";
import { stubAws } from "./local-aws.ts";

/** The day the partitions are made around. */
export const NOW = new Date("2026-11-21T09:30:00.000Z");

/** A deadline as the consumer gives a call, in ms since the epoch. */
export const soon = () => Date.now() + 20_000;

export const TARGET = {
  CLUSTER_ARN: "arn:aws:rds:eu-west-1:000000000000:cluster:sluice",
  SECRET_ARN: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:sluice",
  DATABASE_NAME: "events",
};

/** The secrets of the roles. */
export const ROLE_SECRET_ARNS: Record<DatabaseRole, string> = {
  writer: `${TARGET.SECRET_ARN}-writer`,
  reader: `${TARGET.SECRET_ARN}-reader`,
};

/** The migrations that are deployed. */
export const MIGRATIONS: Migration[] = readMigrations(fileURLToPath(new URL("../../functions/sql", import.meta.url)));

export type TestDatabase = {
  /** The adapter under test, which finds the local Data API server by the environment; as the database's owner. */
  database: SqlDatabase;
  /** The same with the secrets of the roles. */
  writer: SqlDatabase;
  reader: SqlDatabase;
  faults: Faults;
  migrate(migrations?: Migration[], now?: Date): Promise<MigrateResult>;
  /** Asks PostgreSQL itself, past the Data API. */
  ask<Row extends QueryResultRow>(sql: string, parameters?: unknown[]): Promise<Row[]>;
  /** The owner's session in PostgreSQL itself. */
  owner: Client;
  /** Opens a session of a role in PostgreSQL itself, which the caller ends. */
  connectAs(role: DatabaseRole): Promise<Client>;
  remove(): Promise<void>;
};

/** An empty database of its own for one test file, on the server of the run, behind a local Data API server. */
export async function startDatabase(): Promise<TestDatabase> {
  const { superuserUrl, ownerUrl, users } = inject("databaseServer");
  const name = `test_${randomUUID()}`;
  const owner = decodeURIComponent(new URL(ownerUrl).username);
  await administer(superuserUrl, `create database ${escapeIdentifier(name)} owner ${escapeIdentifier(owner)}`);
  const url = new URL(ownerUrl);
  url.pathname = `/${name}`;
  const ownerSecret = secretOfUrl(TARGET.SECRET_ARN, url.href);
  const roleSecrets = new Map(
    (["writer", "reader"] as const).map((role) => [ROLE_SECRET_ARNS[role], users[role]] as const),
  );
  const server = await startDataApi({
    databaseUrl: url.href,
    clusterArn: TARGET.CLUSTER_ARN,
    databaseName: TARGET.DATABASE_NAME,
    readSecret: async (arn) => (await ownerSecret(arn)) ?? roleSecrets.get(arn),
  });
  stubAws({ AWS_ENDPOINT_URL_RDS_DATA: server.url });
  const client = new Client(url.href);
  await client.connect();
  const database = createDataApi(TARGET);
  return {
    database,
    writer: createDataApi({ ...TARGET, SECRET_ARN: ROLE_SECRET_ARNS.writer }),
    reader: createDataApi({ ...TARGET, SECRET_ARN: ROLE_SECRET_ARNS.reader }),
    faults: server.faults,
    // The users have their passwords from the start of the server: they are the same in each database.
    migrate: (migrations = MIGRATIONS, now = NOW) =>
      createMigrate({ database, clock: () => now, credentials: async () => [], setPassword })(migrations, soon()),
    ask: async <Row extends QueryResultRow>(sql: string, parameters: unknown[] = []) =>
      (await client.query<Row>(sql, parameters)).rows,
    owner: client,
    connectAs: (role) => connectAs(url, users[role]),
    async remove() {
      await client.end();
      await server.stop();
      await administer(superuserUrl, `drop database ${escapeIdentifier(name)} with (force)`);
      vi.unstubAllEnvs();
    },
  };
}

async function connectAs(databaseUrl: URL, { username, password }: DatabaseCredentials): Promise<Client> {
  const url = new URL(databaseUrl);
  url.username = username;
  url.password = password;
  const client = new Client(url.href);
  await client.connect();
  return client;
}

async function administer(superuserUrl: string, sql: string): Promise<void> {
  const client = new Client(superuserUrl);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
