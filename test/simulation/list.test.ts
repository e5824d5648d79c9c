import { afterAll, beforeAll, expect, it } from "vitest";
import { startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { pageUnderWrites } from "../support/list-under-writes.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());

it("the pages of 100,000 events under eight writers have each of them once, forwards and backwards", async () => {
  const { listed, written, pages } = await pageUnderWrites(db, { rows: 100_000, writers: 8, limit: 997 });

  expect(listed).toBeGreaterThanOrEqual(100_000);
  expect(written).toBeGreaterThan(100);
  expect(pages).toBeGreaterThanOrEqual(101);
});
