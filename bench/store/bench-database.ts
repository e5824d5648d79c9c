import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client } from "pg";
import { setPassword } from "../../functions/adapters/data-api/set-password.ts";
import { readMigrations } from "../../functions/adapters/files/read-migrations.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { createMigrate } from "../../functions/migrate/migrate.ts";
import { startPostgres } from "../../localstack/postgres/postgres.ts";

/** A temporary PostgreSQL with the deployed tables, and one connection to it. */
export type BenchDatabase = {
  client: Client;
  /** The adapters' port for the Data API, on that connection. */
  database: SqlDatabase;
  /** Bytes of write-ahead log since the cluster was created. */
  walBytes: () => Promise<number>;
  /** Opens another connection, which the caller ends. */
  connect: () => Promise<Client>;
  /** Opens a connection as the reader of the query function, which the caller ends. */
  connectReader: () => Promise<{ client: Client; database: SqlDatabase }>;
  remove: () => Promise<void>;
};

/** Starts the database with the durability of PostgreSQL's defaults. */
export async function startBenchDatabase(): Promise<BenchDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const postgres = await startPostgres({ dataDir: join(folder, "postgres"), databaseName: "bench" });
  const remove = async () => {
    await postgres.stop("immediate");
    await rm(postgres.dataDir, { recursive: true });
    await rm(folder, { recursive: true, force: true });
  };
  const connect = async () => {
    const client = new Client(postgres.url);
    await client.connect();
    return client;
  };
  try {
    const client = await connect();
    const database = onConnection(client);
    const migrate = createMigrate({ database, clock: () => new Date(), credentials: async () => [], setPassword });
    await migrate(readMigrations(resolve(import.meta.dirname, "../../functions/sql")), Date.now() + 60_000);
    return {
      client,
      database,
      connect,
      async connectReader() {
        const password = randomBytes(16).toString("hex");
        await client.query(`alter role sluice_reader_1 password '${password}'`);
        const url = Object.assign(new URL(postgres.url), { username: "sluice_reader_1", password });
        const reader = new Client(url.href);
        await reader.connect();
        return { client: reader, database: onConnection(reader) };
      },
      async walBytes() {
        const { rows } = await client.query<{ bytes: string }>("select pg_current_wal_insert_lsn() - '0/0' as bytes");
        return Number(rows[0]?.bytes);
      },
      async remove() {
        await client.end();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Runs statements over one connection instead of the Data API, as the other contenders do. */
function onConnection(client: Client): SqlDatabase {
  const execute: SqlDatabase["execute"] = async (sql, parameters) => {
    const values: (string | null)[] = [];
    const text = sql.replaceAll(/(?<!:):([a-z]\w*)/g, (_, name: string) => {
      values.push(parameters[name] ?? null);
      return `$${values.length}`;
    });
    const { rows, rowCount } = await client.query<(string | number | boolean | null)[]>({
      text,
      values,
      rowMode: "array",
    });
    return { rows, updated: rowCount ?? 0 };
  };
  return {
    execute,
    async transaction(work) {
      await client.query("begin");
      try {
        const result = await work(execute);
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback");
        throw error;
      }
    },
  };
}
