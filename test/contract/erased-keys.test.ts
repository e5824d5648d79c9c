import { afterAll, beforeAll, expect, it } from "vitest";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable } from "../support/event-samples.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());

let count = 0;
/** Stores 1,024 new events, three times, and returns the milliseconds of the fastest. */
async function fastest(): Promise<number> {
  const store = createEventStore(db.writer);
  let least = Infinity;
  for (let round = 0; round < 3; round += 1) {
    const events = Array.from({ length: 1_024 }, () => storable({ id: `e-${(count += 1)}` }));
    const started = performance.now();
    expect(await store.store(events, soon())).toMatchObject({ refused: [] });
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

it("ten thousand erased keys that no statistics know hold up no store: each hash is one lookup", async () => {
  const without = await fastest();
  await db.ask(
    "insert into erased_keys select 'default', sha256(cast(cast(n as text) as bytea)), 'e', 'event', 'infinity' from generate_series(1, 10000) as n",
  );

  // 1.3 times as long is usual; 200 times where each event is compared with each key.
  expect(await fastest()).toBeLessThan(20 * without);
});
