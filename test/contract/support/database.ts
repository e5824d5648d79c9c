import { fileURLToPath } from "node:url";
import { Client, type QueryResultRow } from "pg";
import { vi } from "vitest";
import { createDataApi } from "../../../functions/adapters/data-api/data-api.ts";
import { readMigrations } from "../../../functions/adapters/files/migration-files.ts";
import type { SqlDatabase } from "../../../functions/core/ports.ts";
import { createMigrate, type Migration, type MigrateResult } from "../../../functions/migrate/migrate.ts";
import { startDataApi } from "../../../localstack/data-api/data-api.ts";
import type { Faults } from "../../../localstack/data-api/faults.ts";
import { startCluster } from "./cluster.ts";

/** The day the partitions are made around. */
export const NOW = new Date("2026-11-21T09:30:00.000Z");

/** What the consumer gives a call, roughly. */
export const soon = () => Date.now() + 20_000;

export const TARGET = {
  CLUSTER_ARN: "arn:aws:rds:eu-west-1:000000000000:cluster:sluice",
  SECRET_ARN: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:sluice",
  DATABASE_NAME: "events",
};

/** The migrations that are deployed. */
export const MIGRATIONS: Migration[] = readMigrations(
  fileURLToPath(new URL("../../../functions/sql", import.meta.url)),
);

export type TestDatabase = {
  /** The adapter under test, which finds the local Data API server by the environment. */
  database: SqlDatabase;
  faults: Faults;
  migrate(migrations?: Migration[], now?: Date): Promise<MigrateResult>;
  /** Asks PostgreSQL itself, past the Data API. */
  ask<Row extends QueryResultRow>(sql: string, parameters?: unknown[]): Promise<Row[]>;
  remove(): Promise<void>;
};

/** A PostgreSQL of its own for one test file, behind a local Data API server; migrated by whoever asks for it. */
export async function startDatabase(): Promise<TestDatabase> {
  const cluster = await startCluster();
  const server = await startDataApi({
    databaseUrl: cluster.postgres.url,
    clusterArn: TARGET.CLUSTER_ARN,
    secretArn: TARGET.SECRET_ARN,
    databaseName: TARGET.DATABASE_NAME,
  });
  stubAws({ AWS_ENDPOINT_URL_RDS_DATA: server.url });
  const client = new Client(cluster.postgres.url);
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
      await cluster.remove();
      vi.unstubAllEnvs();
    },
  };
}

/** What an SDK client without options reads from the environment. */
export function stubAws(endpoints: Record<string, string>): void {
  const environment = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };
  for (const [name, value] of Object.entries({ ...environment, ...endpoints })) vi.stubEnv(name, value);
}
