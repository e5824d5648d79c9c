import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startDatabase, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { MIGRATIONS, NOW } from "../support/migrations.ts";

const NAMES = MIGRATIONS.map(({ name }) => name);
const DAY_MS = 86_400_000;

let db: TestDatabase;
const eachBeginsIn = (start: () => Promise<TestDatabase>) => {
  beforeEach(async () => {
    db = await start();
  });
  afterEach(() => db.remove());
};

const records = () =>
  db.ask<{ name: string; sha256: string }>("select name, sha256 from schema_migrations order by name");
const exists = async (table: string) => {
  const [row] = await db.ask<{ found: boolean }>("select to_regclass($1) is not null as found", [table]);
  return row?.found;
};
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** The days that have a partition, as `20261121`. */
const partitions = async () => {
  const rows = await db.ask<{ name: string }>(
    "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'events_keep'::regclass order by 1",
  );
  return rows.map(({ name }) => name.replace("events_keep_", ""));
};
const days = (now: Date, first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) =>
    new Date(now.getTime() + (first + i) * DAY_MS).toISOString().slice(0, 10).replaceAll("-", ""),
  );

describe("migrations", () => {
  eachBeginsIn(startDatabase);

  it("are applied in the order of their names, each recorded with its checksum", async () => {
    const second = { name: "9002_second.sql", sql: "alter table sample add column note text" };
    const first = { name: "9001_first.sql", sql: "create table sample (id integer)" };

    const { applied } = await db.migrate([second, ...MIGRATIONS, first]);

    expect(applied).toEqual([...NAMES, first.name, second.name]);
    expect(await records()).toEqual(
      [...MIGRATIONS, first, second].map(({ name, sql }) => ({ name, sha256: sha256(sql) })),
    );
    expect(await exists("sample")).toBe(true);
  });

  it("are applied once: a second run does nothing", async () => {
    await db.migrate();
    const before = await records();

    const second = await db.migrate();

    expect(second).toMatchObject({ applied: [], partitionsMade: 0 });
    expect(await records()).toEqual(before);
  });

  it("are applied once by two runs at the same time, which both succeed", async () => {
    const once = { name: "9001_once.sql", sql: "create table once (id integer); insert into once values (1)" };

    const runs = await Promise.all([db.migrate([...MIGRATIONS, once]), db.migrate([...MIGRATIONS, once])]);

    expect(runs.flatMap(({ applied }) => applied).toSorted()).toEqual([...NAMES, once.name]);
    expect(runs.reduce((made, { partitionsMade }) => made + partitionsMade, 0)).toBe((await partitions()).length);
    expect(await db.ask("select id from once")).toEqual([{ id: 1 }]);
  });

  it("are applied from files with the line endings of another system", async () => {
    const windows = MIGRATIONS.map(({ name, sql }) => ({ name, sql: sql.replaceAll("\n", "\r\n") }));

    expect(await db.migrate(windows)).toMatchObject({ applied: NAMES });
    expect(await db.migrate()).toMatchObject({ applied: [] });
  });
});

describe("migrations after the deployed ones", () => {
  eachBeginsIn(startMigratedDatabase);

  it("are refused from the first file on that was changed, with its name and what to do", async () => {
    const old = { name: "9001_old.sql", sql: "create table old (id integer)" };
    const newer = { name: "9002_newer.sql", sql: "create table newer (id integer)" };
    await db.migrate([...MIGRATIONS, old]);

    const run = db.migrate([...MIGRATIONS, { ...old, sql: "create table old (id bigint)" }, newer]);

    await expect(run).rejects.toThrow(
      /9001_old\.sql was changed.*Restore the file and write the change as a new migration/,
    );
    expect(await exists("newer")).toBe(false);
    expect((await records()).map(({ name }) => name)).toEqual([...NAMES, old.name]);
  });

  it("are not changed by other line endings", async () => {
    const lines = { name: "9001_lines.sql", sql: "create table lines (\n  id integer\n);\n" };
    await db.migrate([...MIGRATIONS, lines]);

    const windows = [...MIGRATIONS, lines].map(({ name, sql }) => ({ name, sql: sql.replaceAll("\n", "\r\n") }));

    expect(await db.migrate(windows)).toMatchObject({ applied: [] });
  });

  it("leave nothing of one that fails half-way, and name it with the database's own words", async () => {
    const half = { name: "9001_half.sql", sql: "create table half (id integer);\nselect 1 / 0;" };
    const after = { name: "9002_after.sql", sql: "create table after_half (id integer)" };

    const run = db.migrate([...MIGRATIONS, half, after]);

    await expect(run).rejects.toThrow(/^9001_half\.sql: ERROR: division by zero/);
    expect(await exists("half")).toBe(false);
    expect(await exists("after_half")).toBe(false);
    expect((await records()).map(({ name }) => name)).toEqual(NAMES);

    const repaired = { ...half, sql: "create table half (id integer)" };
    expect(await db.migrate([...MIGRATIONS, repaired, after])).toMatchObject({ applied: [half.name, after.name] });
  });

  it("run forward only: one with a number below an applied one is refused, by name", async () => {
    await db.migrate([...MIGRATIONS, { name: "9002_later.sql", sql: "create table later (id integer)" }]);

    const late = { name: "9001_late.sql", sql: "create table late (id integer)" };
    await expect(db.migrate([...MIGRATIONS, late])).rejects.toThrow(
      /9001_late\.sql comes after 9002_later\.sql was applied/,
    );

    expect(await exists("late")).toBe(false);
  });

  it("that older code does not know are no error after a rollback", async () => {
    await db.migrate([...MIGRATIONS, { name: "9001_newer.sql", sql: "create table newer (id integer)" }]);

    const older = await db.migrate();

    expect(older).toMatchObject({ applied: [] });
    expect(await exists("newer")).toBe(true);
  });

  it("may have semicolons in PL/pgSQL bodies, texts and comments", async () => {
    const sql = `
      -- twice; not three times
      create function twice(n integer) returns integer language plpgsql as $body$
      declare result integer = n;
      begin
        result = result + n; /* doubled; */
        return result;
      end
      $body$;
      create table doubled as select twice(21) as n, 'a;b' as note;`;

    await db.migrate([...MIGRATIONS, { name: "9001_twice.sql", sql }]);

    expect(await db.ask("select n, note from doubled")).toEqual([{ n: 42, note: "a;b" }]);
  });
});

describe("partitions", () => {
  eachBeginsIn(startDatabase);

  it("are made from 18 days back to 14 ahead", async () => {
    const { partitionsMade } = await db.migrate();

    expect(partitionsMade).toBe(33);
    expect(await partitions()).toEqual(days(NOW, -18, 14));
  });

  it("keep the UTC day at the last millisecond before midnight", async () => {
    const late = new Date("2026-11-21T23:59:59.999Z");

    await db.migrate(MIGRATIONS, late);

    expect(await partitions()).toEqual(days(NOW, -18, 14));
  });
});

describe("partitions of a deployed database", () => {
  eachBeginsIn(startMigratedDatabase);

  it("are made one more a day later, and none twice a day", async () => {
    const tomorrow = new Date(NOW.getTime() + DAY_MS);

    expect(await db.migrate(MIGRATIONS, tomorrow)).toMatchObject({ partitionsMade: 1 });
    expect(await db.migrate(MIGRATIONS, tomorrow)).toMatchObject({ partitionsMade: 0 });

    expect(await partitions()).toEqual(days(NOW, -18, 15));
  });

  it("hold the UTC day, from its first to its last microsecond", async () => {
    const edges = ["2026-11-21T00:00:00.000000Z", "2026-11-21T23:59:59.999999Z"];
    const insert =
      "insert into events (tenant, id, source, type, time, received_at, retention) values ('t', 'i', 's', 'y', $1, $1, 0)";
    for (const edge of edges) await db.ask(insert, [edge]);

    expect(await db.ask("select count(*)::int as rows from events_keep_20261121")).toEqual([{ rows: 2 }]);
  });
});
