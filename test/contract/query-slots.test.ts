import { afterAll, beforeAll, expect, it } from "vitest";
import { createAggregateReader } from "../../functions/adapters/data-api/aggregate-reader.ts";
import { createListReader } from "../../functions/adapters/data-api/list-reader.ts";
import type { AggregateScan } from "../../functions/core/aggregate-reader.ts";
import { TENANT_MAX_QUERIES } from "../../functions/core/query-load-limits.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { wholeScan } from "../support/list-scan.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());

it("a tenant with as many pages under way as it may have gets no other, and another tenant does", async () => {
  const reader = createListReader(db.reader, { maxOfTenant: 2 });
  const unlimited = createListReader(db.reader);
  const session = await db.connectAs("reader");
  const other = await db.connectAs("reader");
  try {
    await session.query("begin");
    await session.query("select take_query_slot('a', 2)");
    expect((await reader.list(wholeScan("a"), soon())).isComplete).toBe(true);
    await other.query("begin");
    await other.query("select take_query_slot('a', 2)");

    await expect(reader.list(wholeScan("a"), soon())).rejects.toMatchObject({ code: "too_many_queries" });
    expect((await reader.list(wholeScan("b"), soon())).isComplete).toBe(true);
    expect((await unlimited.list(wholeScan("a"), soon())).isComplete).toBe(true);
  } finally {
    // A session that ends without a word gives its slot back, as one of a process that dies does.
    await session.end();
    await other.end();
  }
  await expect
    .poll(() =>
      reader.list(wholeScan("a"), soon()).then(
        () => "read",
        () => "refused",
      ),
    )
    .toBe("read");
});

it("an aggregate of a tenant takes one of its slots, from rollups and from rows, and is refused where none is free", async () => {
  const reader = createAggregateReader(db.reader, { maxOfTenant: TENANT_MAX_QUERIES });
  const scanOf = (tenant: string): AggregateScan => ({
    tenant,
    allowed: { types: undefined, sources: undefined },
    filter: undefined,
    from: "2026-11-21T00:00:00.000000Z",
    to: "2026-11-22T00:00:00.000000Z",
    every: undefined,
    timeZone: "UTC",
    fields: [],
    measures: ["count"],
  });
  const both = (tenant: string) =>
    Promise.allSettled([reader.fromRollups(scanOf(tenant), soon()), reader.fromEvents(scanOf(tenant), soon())]);
  const answered = { status: "fulfilled", value: { whole: 0 } };
  const refused = { status: "rejected", reason: { code: "too_many_queries" } };
  const sessions: Awaited<ReturnType<TestDatabase["connectAs"]>>[] = [];
  const holdSlot = async () => {
    const session = await db.connectAs("reader");
    sessions.push(session);
    await session.query("begin");
    await session.query("select take_query_slot('c', $1)", [TENANT_MAX_QUERIES]);
  };
  try {
    // Both are asked at once, so two slots have to be free.
    while (sessions.length < TENANT_MAX_QUERIES - 2) await holdSlot();
    expect(await both("c")).toMatchObject([answered, answered]);

    while (sessions.length < TENANT_MAX_QUERIES) await holdSlot();
    expect(await both("c")).toMatchObject([refused, refused]);
    expect(await both("d")).toMatchObject([answered, answered]);
  } finally {
    for (const session of sessions) await session.end();
  }
});
