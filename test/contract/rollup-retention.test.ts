import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAggregateReader } from "../../functions/adapters/data-api/aggregate-reader.ts";
import { createRetentionWork } from "../../functions/adapters/data-api/retention-work.ts";
import type { RetentionWork } from "../../functions/core/retention-work.ts";
import { createAggregate } from "../../functions/query/aggregate.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { erase } from "../support/erasure.ts";
import { adminOf } from "../support/principal.ts";
import { aged, daysAgo, retainStep, storeAged } from "../support/retention.ts";

/** Rollups are kept for 90 days in all of them. */
const KEPT = 90;

let db: TestDatabase;
beforeEach(async () => {
  db = await startMigratedDatabase();
  await db.ask("select declare_retention(30, array[7])");
});
afterEach(() => db.remove());

const merge = () => db.ask("select compact_rollups('infinity', 100000)");
const run = (work: Partial<RetentionWork> = {}) => retainStep(db.database, { rollupDays: KEPT, work }).run();

/** The days of which a tenant has rollups of each span, and deltas. */
const rolledUp = async (tenant = "default") =>
  (
    await db.ask<{ text: string }>(
      `select span || ' ' || to_char(minute at time zone 'UTC', 'YYYY-MM-DD') as text from rollups where tenant = $1
       union select 'delta ' || to_char(minute at time zone 'UTC', 'YYYY-MM-DD') from rollup_deltas where tenant = $1
       order by 1`,
      [tenant],
    )
  ).map(({ text }) => text);
const spansOf = (...days: number[]) =>
  days.flatMap((each) => ["day", "hour", "minute"].map((span) => `${span} ${daysAgo(each)}`)).toSorted();

/** The number of events of days, as `POST /events/aggregate` answers it. */
async function count(fromDaysAgo: number, toDaysAgo: number, tenant = "default") {
  const midnight = (days: number) => `${daysAgo(days)}T00:00:00.000000Z`;
  const aggregate = createAggregate({ reader: createAggregateReader(db.reader), clock: () => new Date() });
  const text = await aggregate({
    principal: adminOf(tenant),
    deadline: soon(),
    filter: undefined,
    from: midnight(fromDaysAgo),
    to: midnight(toDaysAgo),
    every: undefined,
    timeZone: "UTC",
    fields: [],
    fieldNames: [],
    measures: ["count"],
    measureNames: ["count"],
  });
  const { rows, metadata } = JSON.parse(text) as {
    rows: { count: string }[];
    metadata: { from: string; complete: boolean; droppedBefore?: string };
  };
  return { count: rows[0]?.count ?? "0", from: metadata.from, droppedBefore: metadata.droppedBefore };
}

const from = (days: number) => `${daysAgo(days)}T00:00:00.000Z`;

describe("the retention of rollups", () => {
  it("the run deletes rollups and deltas of days whose time is over, and no others", async () => {
    await storeAged(db, [aged("old", 30, 91), aged("last", 30, 90), aged("new", 30, 89)]);
    await merge();
    await storeAged(db, [aged("late", 30, 92)]);

    await run();

    expect(await rolledUp()).toEqual(spansOf(90, 89));
  });

  it("rollups outlive the events of their day, and are kept for good where the stage says nothing", async () => {
    await storeAged(db, [aged("dropped", 30, 40), aged("older", 30, 400)]);
    await merge();

    await retainStep(db.database).run();

    expect(await db.ask("select id from events")).toEqual([]);
    expect(await count(400, 39)).toEqual({ count: "2", from: "rollup", droppedBefore: undefined });
  });

  it("an aggregate of days whose rollups were deleted is made of the events that are left, and says that others were dropped", async () => {
    await storeAged(db, [aged("dropped", 30, 100), aged("kept", 0, 100), aged("new", 30, 1)]);
    await merge();

    await run();

    expect(await count(100, 99)).toEqual({ count: "1", from: "rows", droppedBefore: from(99) });
    expect(await count(100, 0)).toEqual({ count: "2", from: "rows", droppedBefore: from(99) });
    expect(await count(99, 90)).toEqual({ count: "0", from: "rows", droppedBefore: undefined });
    expect(await count(90, 0)).toEqual({ count: "1", from: "rollup", droppedBefore: undefined });
  });

  it("an aggregate of a tenant of which nothing was dropped says nothing about it", async () => {
    await storeAged(db, [aged("kept", 0, 100), aged("dropped", 30, 100, { tenant: "other" })]);
    await merge();

    await run();

    expect(await count(101, 99)).toEqual({ count: "1", from: "rows", droppedBefore: undefined });
    expect(await count(101, 99, "other")).toEqual({ count: "0", from: "rows", droppedBefore: from(99) });
  });

  it("rollups of a day are kept while it has events of a class with an end", async () => {
    await db.ask("select declare_retention(400, array[7])");
    await storeAged(db, [aged("long", 400, 100), aged("before", 7, 101), aged("behind", 7, 99)]);
    await merge();

    await run();

    expect(await rolledUp()).toEqual(spansOf(100, 99));
  });

  it("rollups of a day whose drop waits are kept with it", async () => {
    await storeAged(db, [aged("waits", 30, 100), aged("older", 30, 110)]);
    await merge();
    await db.ask("update retention_days set state = 'due', retry_at = now() + interval '1 hour' where day = $1", [
      daysAgo(100),
    ]);

    await run();

    expect(await rolledUp()).toEqual(spansOf(100));
  });

  it("a tenant under a legal hold keeps its rollups until the hold is released", async () => {
    await storeAged(db, [aged("a", 30, 100), aged("b", 30, 100, { tenant: "held" })]);
    await merge();
    await db.ask("insert into holds (id, tenant, reason, created_by) values ('h', 'held', 'r', 'k')");

    await run();
    const whileHeld = await rolledUp("held");
    await db.ask("update holds set released_at = now()");
    await run();

    expect(whileHeld).toEqual(spansOf(100));
    expect(await rolledUp("held")).toEqual([]);
    expect(await rolledUp()).toEqual([]);
  });

  it("a statement deletes no more than it may, and aggregates never count a part of what is left", async () => {
    await storeAged(db, [aged("a", 30, 100), aged("b", 30, 101), aged("c", 30, 102)]);
    await merge();
    await run({ tenantsWithOldRollups: async () => [] });
    const work = createRetentionWork(db.database);

    const isMore = await work.deleteRollups("default", KEPT, 2, soon());

    expect(isMore).toBe(true);
    expect(await rolledUp()).toHaveLength(7);
    expect(await count(102, 99)).toEqual({ count: "0", from: "rows", droppedBefore: from(99) });
    expect(await work.tenantsWithOldRollups(KEPT, soon())).toEqual(["default"]);
  });

  it("an erasure or a late event of days whose rollups were deleted changes no aggregate, and the next run deletes its numbers", async () => {
    await storeAged(db, [aged("old", 30, 100), aged("kept", 0, 101), aged("erased", 0, 101)]);
    await merge();
    await run();

    await storeAged(db, [aged("late", 30, 101)]);
    expect(await count(101, 100)).toMatchObject({ count: "3", from: "rows" });
    const { counts } = await erase(db.database, { by: "ids", ids: [{ id: "erased" }] });

    expect(counts).toMatchObject({ events: 1, rollups: 1 });
    expect(await count(101, 100)).toMatchObject({ count: "2", from: "rows" });
    await run();
    expect(await rolledUp()).toEqual([]);
    expect(await count(101, 100)).toMatchObject({ count: "1", from: "rows" });
  });
});

describe("the plan of the retention of rollups", () => {
  it("the plan has the day before which rollups are deleted by then, and their size", async () => {
    const work = createRetentionWork(db.database);
    const until = daysAgo(-7);

    const { bytes, ...planned } = await work.readRollups(KEPT, until, soon());

    expect(planned.deletedBefore).toBe(daysAgo(KEPT - 7));
    expect(bytes).toBeGreaterThan(0);
    expect(await work.readRollups(undefined, until, soon())).toMatchObject({ deletedBefore: undefined });
  });

  it("the plan keeps the rollups of days that have events by then", async () => {
    await db.ask("select declare_retention(400, array[7])");
    await storeAged(db, [aged("long", 400, 300)]);

    expect(await createRetentionWork(db.database).readRollups(KEPT, daysAgo(-7), soon())).toMatchObject({
      deletedBefore: daysAgo(300),
    });
    expect(await createRetentionWork(db.database).readRollups(KEPT, daysAgo(-200), soon())).toMatchObject({
      deletedBefore: daysAgo(KEPT - 200),
    });
  });
});
