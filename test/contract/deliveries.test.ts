import { afterAll, beforeAll } from "vitest";
import { createDeliveryWork } from "../../functions/adapters/data-api/delivery-work.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createFeedReader } from "../../functions/adapters/data-api/feed-reader.ts";
import { createSubscriptionStore } from "../../functions/adapters/data-api/subscription-store.ts";
import { describeDeliveries, type Deliveries } from "../support/conformance/deliveries.ts";
import { readPage } from "../support/conformance/feed-reader.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { emptyDeliveries, passTime } from "../support/delivery-rows.ts";
import { settle } from "../support/settle.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());

async function open(): Promise<Deliveries> {
  await emptyDeliveries(db);
  let isHeld = false;
  return {
    store: createSubscriptionStore(db.writer),
    work: createDeliveryWork(db.writer),
    async storeEvents(events) {
      await createEventStore(db.writer).store(events, soon());
      if (!isHeld) await settle(db);
    },
    async hold() {
      const session = await db.connectAs("writer");
      await session.query("begin; select pg_current_xact_id()");
      isHeld = true;
      return async () => {
        await session.query("rollback");
        await session.end();
        isHeld = false;
        await settle(db);
      };
    },
    pass: (seconds) => passTime(db, seconds),
    now: () => new Date(),
    place: async (tenant) => (await readPage(createFeedReader(db.reader), { tenant, after: "now" })).place,
    async forget(ids) {
      for (const table of ["events", "event_keys"]) await db.ask(`delete from ${table} where id = any ($1)`, [ids]);
    },
  };
}

describeDeliveries("in PostgreSQL", open);
