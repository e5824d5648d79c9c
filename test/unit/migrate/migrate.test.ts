import { describe, expect, it } from "vitest";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { ExecuteSql, SqlDatabase, SqlValue } from "../../../functions/core/ports.ts";
import { createMigrate } from "../../../functions/migrate/migrate.ts";

const NOW = new Date("2026-11-21T23:59:00.000Z");

/** A database whose answers are given by the statement's text; it remembers the statements and their parameters. */
function databaseOf(answer: (sql: string) => SqlValue[][] = () => []) {
  const calls: [string, Record<string, string | null>][] = [];
  const execute: ExecuteSql = async (sql, parameters) => {
    calls.push([sql, parameters]);
    return { rows: sql.includes("pg_try_advisory_xact_lock") ? [[true]] : answer(sql), updated: 0 };
  };
  const database: SqlDatabase = { execute, transaction: (work) => work(execute) };
  return { database, calls, statements: () => calls.map(([sql]) => sql) };
}

const migrate = (database: SqlDatabase, names: string[], deadline = Date.now() + 60_000) =>
  createMigrate({ database, clock: () => NOW, credentials: async () => [], setPassword: async () => undefined })(
    names.map((name) => ({ name, sql: `select '${name}'` })),
    deadline,
  );

describe("migrating", () => {
  it("applies the migrations in the order of their names and returns their names", async () => {
    const { database, statements } = databaseOf();

    const { applied } = await migrate(database, ["0002_b.sql", "0001_a.sql"]);

    expect(applied).toEqual(["0001_a.sql", "0002_b.sql"]);
    expect(statements().filter((sql) => sql.startsWith("select '"))).toEqual([
      "select '0001_a.sql'",
      "select '0002_b.sql'",
    ]);
  });

  it("makes the partitions around the UTC day of its clock and returns their number", async () => {
    const { database, calls } = databaseOf((sql) => (sql.includes("ensure_event_partitions") ? [[3]] : []));
    const day = (offset: number) => new Date(NOW.getTime() + offset * 86_400_000).toISOString().slice(0, 10);

    expect(await migrate(database, [])).toMatchObject({ applied: [], partitionsMade: 9 });
    const ranges = calls.filter(([sql]) => sql.includes("ensure_event_partitions")).map(([, range]) => range);
    expect(ranges).toEqual([
      { first: day(-18), last: day(-8) },
      { first: day(-7), last: day(3) },
      { first: day(4), last: day(14) },
    ]);
  });

  it("wakes the workers of deliveries last, for whatever was lost, a planned wake-up too", async () => {
    const { database } = databaseOf();
    const sent: unknown[] = [];

    await createMigrate({
      database,
      clock: () => NOW,
      credentials: async () => [],
      setPassword: async () => undefined,
      keepDeliveries: async () => {
        sent.push("upkeep");
        return {};
      },
      wakes: { send: async (...given) => sent.push(given.slice(0, 2)) > 0 },
    })([], Date.now() + 60_000);

    expect(sent).toEqual(["upkeep", [{ isRepeated: true }, 0]]);
  });

  it("sets the passwords of the secrets' current users last, and names the users", async () => {
    const { database, statements } = databaseOf();
    const user = { username: "sluice_reader_1", password: "p" };
    const set: unknown[] = [];

    const result = await createMigrate({
      database,
      clock: () => NOW,
      credentials: async () => [user],
      setPassword: async (_execute, credentials) => void set.push([credentials, statements().at(-1)]),
    })([], Date.now() + 60_000);

    expect(result).toMatchObject({ passwordsSet: ["sluice_reader_1"] });
    // Under the lock, because two runs cannot change one user at the same time.
    expect(set).toEqual([[user, expect.stringContaining("pg_try_advisory_xact_lock")]]);
  });

  it("fails when a secret cannot be read, with the partitions made", async () => {
    const { database, statements } = databaseOf();
    const credentials = () => Promise.reject(new Error("no answer"));

    const run = createMigrate({ database, clock: () => NOW, credentials, setPassword: async () => undefined });

    await expect(run([], Date.now() + 60_000)).rejects.toThrow("no answer");
    expect(statements().some((sql) => sql.includes("ensure_event_partitions"))).toBe(true);
  });

  it("names the migration that the database refuses, with the database's message", async () => {
    const { database } = databaseOf((sql) => {
      if (sql.startsWith("select '0002")) {
        throw new DatabaseError({ disposition: "stop", reason: "schema_mismatch", detail: "no such table" });
      }
      return [];
    });

    await expect(migrate(database, ["0001_a.sql", "0002_b.sql"])).rejects.toThrow("0002_b.sql: no such table");
  });

  it("ends before its deadline while another run holds the lock, and says so", async () => {
    const work: string[] = [];
    const database: SqlDatabase = {
      execute: async () => ({ rows: [], updated: 0 }),
      transaction: (run) =>
        run(async (sql) => {
          work.push(sql);
          return { rows: [[false]], updated: 0 };
        }),
    };

    await expect(migrate(database, [], Date.now() + 500)).rejects.toThrow("Another run holds the migration lock");
    expect(work).toEqual([expect.stringContaining("pg_try_advisory_xact_lock")]);
  });
});
