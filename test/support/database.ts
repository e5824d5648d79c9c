import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Client, escapeIdentifier, type QueryResultRow } from "pg";
import { inject, vi } from "vitest";
import { createDataApi } from "../../functions/adapters/data-api/data-api.ts";
import { readMigrations } from "../../functions/adapters/files/read-migrations.ts";
import type { Migration, SqlDatabase } from "../../functions/core/ports.ts";
import { createMigrate, type MigrateResult } from "../../functions/migrate/migrate.ts";
import { startDataApi } from "../../localstack/data-api/data-api.ts";
import type { Faults } from "../../localstack/data-api/faults.ts";
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

/** The migrations that are deployed. */
export const MIGRATIONS: Migration[] = readMigrations(fileURLToPath(new URL("../../functions/sql", import.meta.url)));

export type TestDatabase = {
  /** The adapter under test, which finds the local Data API server by the environment. */
  database: SqlDatabase;
  faults: Faults;
  migrate(migrations?: Migration[], now?: Date): Promise<MigrateResult>;
  /** Asks PostgreSQL itself, past the Data API. */
  ask<Row extends QueryResultRow>(sql: string, parameters?: unknown[]): Promise<Row[]>;
  remove(): Promise<void>;
};

/** An empty database of its own for one test file, on the server of the run, behind a local Data API server. */
export async function startDatabase(): Promise<TestDatabase> {
  const { superuserUrl, ownerUrl } = inject("databaseServer");
  const name = `test_${randomUUID()}`;
  const owner = decodeURIComponent(new URL(ownerUrl).username);
  await administer(superuserUrl, `create database ${escapeIdentifier(name)} owner ${escapeIdentifier(owner)}`);
  const url = new URL(ownerUrl);
  url.pathname = `/${name}`;
  const server = await startDataApi({
    databaseUrl: url.href,
    clusterArn: TARGET.CLUSTER_ARN,
    secretArn: TARGET.SECRET_ARN,
    databaseName: TARGET.DATABASE_NAME,
  });
  stubAws({ AWS_ENDPOINT_URL_RDS_DATA: server.url });
  const client = new Client(url.href);
  await client.connect();
  const database = createDataApi(TARGET);
  return {
    database,
    faults: server.faults,
    migrate: (migrations = MIGRATIONS, now = NOW) => createMigrate({ database, clock: () => now })(migrations, soon()),
    ask: async <Row extends QueryResultRow>(sql: string, parameters: unknown[] = []) =>
      (await client.query<Row>(sql, parameters)).rows,
    async remove() {
      await client.end();
      await server.stop();
      await administer(superuserUrl, `drop database ${escapeIdentifier(name)} with (force)`);
      vi.unstubAllEnvs();
    },
  };
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
