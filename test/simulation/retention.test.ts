import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRetentionWork } from "../../functions/adapters/data-api/retention-work.ts";
import type { DueDay } from "../../functions/core/retention-work.ts";
import { RETAIN_KEY_PAGES } from "../../functions/core/retention-limits.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { daysAgo, retainStep } from "../support/retention.ts";

let db: TestDatabase;
beforeEach(async () => {
  db = await startMigratedDatabase();
  await db.ask("select declare_retention(30, array[7])");
});
afterEach(() => db.remove());

const HEADS = `
  array(select cast(json_build_object('tenant', 't' || n % 3, 'id', $3 || n, 'source', '/s', 'type', 'x', 'time', now(),
    'received_at', $1 || 'T12:00:00Z', 'class', cast($2 as integer)) as text)
    from generate_series(1, cast($4 as integer)) as n order by 't' || n % 3, $3 || n)`;

/** Stores events of a class and day, whose ids begin so. */
async function store(day: string, retention: number, prefix: string, count: number): Promise<void> {
  await db.ask("select make_event_day($1, $2)", [retention, day]);
  await db.ask(
    `select * from store_batch(${HEADS}, array_fill('"${"x".repeat(200)}"'::text, array[cast($4 as integer)]))`,
    [day, retention, prefix, count],
  );
}

const sizeOf = async (tables: string) =>
  Number(
    (
      await db.ask<{ bytes: string }>(
        `select coalesce(sum(pg_total_relation_size(oid)), 0) as bytes from pg_class where relkind = 'r' and relname ~ $1`,
        [tables],
      )
    )[0]?.bytes,
  );

describe("retention of many events", () => {
  it("a run frees the space of the days that are due at once, and not an event of another class or day goes", async () => {
    const classes = [7, 30, 0] as const;
    for (const retention of classes)
      for (const age of [3, 9, 40]) await store(daysAgo(age), retention, `${retention}-${age}-`, 5_000);
    const counts = () =>
      db.ask(
        "select retention, cast(received_at as date)::text as day, count(*)::int as rows from events group by 1, 2 order by 1, 2",
      );
    const before = await counts();
    const due = [
      [7, 9],
      [7, 40],
      [30, 40],
    ] as const;
    const names = due.map(
      ([of, age]) =>
        `events_${of}d_${daysAgo(age).replaceAll("-", "")}|event_fields_${of}d_${daysAgo(age).replaceAll("-", "")}`,
    );
    const share = await sizeOf(`^(${names.join("|")})$`);
    const whole = await sizeOf("^event(s|_fields)_");

    expect(await retainStep(db.database).run()).toMatchObject({ kind: "done", dropped: 3, bytes: share });

    expect(await sizeOf("^event(s|_fields)_")).toBe(whole - share);
    expect(share / whole).toBeGreaterThan(0.25);
    expect(await counts()).toEqual(
      before.filter(({ retention, day }) => !due.some(([of, age]) => of === retention && daysAgo(age) === day)),
    );
    expect(await db.ask("select count(*)::int as rows from event_keys")).toEqual([{ rows: 6 * 5_000 }]);
  }, 120_000);

  it.each([
    ["in the order of time", (day: number, part: number) => `${String(day).padStart(4, "0")}-${part}-`],
    ["that are random", () => `${randomUUID().slice(0, 8)}-`],
  ])(
    "the keys of ids %s take no more space after 100 days than after 20",
    async (_name, prefixOf) => {
      const work = createRetentionWork(db.database);
      const days = 100;
      const date = (day: number) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10);
      const sizes: number[] = [];
      for (let day = 0; day < days; day++) {
        // A few prefixes a day, so that random ids are spread over the whole index.
        for (let part = 0; part < 10; part++) await store(date(day), 7, prefixOf(day, part), 40);
        if (day >= 8) await drop(date(day - 8));
        await db.owner.query("vacuum event_keys");
        sizes.push(await sizeOf("^event_keys_"));
      }

      expect(await db.ask("select count(*)::int as rows from event_keys")).toEqual([{ rows: 8 * 400 }]);
      expect(sizes.at(-1)).toBeLessThan((sizes[19] ?? 0) * 1.3);

      async function drop(day: string) {
        const stamp = day.replaceAll("-", "");
        const due: DueDay = {
          class: 7,
          day,
          state: "detached",
          eventsTable: `events_7d_${stamp}`,
          fieldsTable: `event_fields_7d_${stamp}`,
          wasDetached: false,
          waitSeconds: 0,
        };
        await work.detach(due.eventsTable, soon());
        await work.detach(due.fieldsTable, soon());
        await work.noteDetached(due, false, soon());
        while (await work.deleteKeys(due, RETAIN_KEY_PAGES, soon()));
        await work.drop(due, false, soon());
      }
    },
    300_000,
  );
});
