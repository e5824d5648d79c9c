import { afterAll, beforeAll, expect, it } from "vitest";
import { createListReader } from "../../functions/adapters/data-api/list-reader.ts";
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
