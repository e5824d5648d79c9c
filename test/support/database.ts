import { randomUUID } from "node:crypto";
import { Client, escapeIdentifier, type QueryResultRow } from "pg";
import { inject, vi } from "vitest";
import { createDataApi } from "../../functions/adapters/data-api/data-api.ts";
import { setPassword } from "../../functions/adapters/data-api/set-password.ts";
import type { DatabaseCredentials, DatabaseRole } from "../../functions/core/database-roles.ts";
import type { Migration, SqlDatabase } from "../../functions/core/ports.ts";
import { createMigrate, type MigrateResult } from "../../functions/migrate/migrate.ts";
import { startDataApi } from "../../localstack/data-api/data-api.ts";
import type { Faults } from "../../localstack/data-api/faults.ts";
import { secretOfUrl } from "../../localstack/data-api/secrets.ts";
import { MIGRATIONS, NOW } from "./migrations.ts";
import { stubAws } from "./local-aws.ts";

/** A deadline as the consumer gives a call, in ms since the epoch. */
export const soon = () => Date.now() + 60_000;

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
  /** Deletes the rows of tables. A `truncate` takes 40 times as long: it makes each partition's and index's file again. */
  empty(...tables: string[]): Promise<void>;
  /** The owner's session in PostgreSQL itself. */
  owner: Client;
  /** Opens a session of a role in PostgreSQL itself, which the caller ends. */
  connectAs(role: DatabaseRole): Promise<Client>;
  remove(): Promise<void>;
};

/** An empty database of its own for one test file, on the server of the run, behind a local Data API server. */
export const startDatabase = () => startCopyOf("template1");

/** The same with the deployed migrations and the partitions around `NOW`. */
export const startMigratedDatabase = () =>
  startCopyOf(
    new URL(inject("databaseServer").ownerUrl).pathname.slice(1),
    (name) =>
      // The rights of a database itself are not copied.
      `revoke temporary on database ${name} from public`,
  );

async function startCopyOf(template: string, alter?: (name: string) => string): Promise<TestDatabase> {
  const { superuserUrl, ownerUrl, users } = inject("databaseServer");
  const name = `test_${randomUUID()}`;
  const owner = decodeURIComponent(new URL(ownerUrl).username);
  await administer(
    superuserUrl,
    `create database ${escapeIdentifier(name)} owner ${escapeIdentifier(owner)} template ${template}`,
    ...(alter === undefined ? [] : [alter(escapeIdentifier(name))]),
  );
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
    async empty(...tables) {
      await client.query(tables.map((table) => `delete from ${table}`).join(";"));
    },
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

async function administer(superuserUrl: string, ...statements: string[]): Promise<void> {
  const client = new Client(superuserUrl);
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}
