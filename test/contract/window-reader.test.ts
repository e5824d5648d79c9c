import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createWindowReader } from "../../functions/adapters/data-api/window-reader.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable } from "../support/event-samples.ts";
import { eventually } from "../support/eventually.ts";
import { settle } from "../support/settle.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());
beforeEach(() => db.empty("events", "event_keys", "event_transactions", "event_ends"));

const received = { from: "2026-11-19T00:00:00.000000Z", to: "2026-11-20T12:00:00.000000Z" };
const state = (of: { tenant?: string; received?: { from: string | undefined; to: string | undefined } } = {}) =>
  createWindowReader(db.reader).read({ tenant: "default", received, ...of }, soon());
const versionOf = async (...of: Parameters<typeof state>) => (await state(...of)).version;
const save = async (id: string, receivedAt: string, tenant = "default") => {
  await createEventStore(db.writer).store([storable({ id }, { receivedAt, tenant })], soon());
  await settle(db);
};

describe("the state of a range", () => {
  it("the version of a range changes with a late event of each of its days, and stays where none came", async () => {
    await save("1", "2026-11-19T10:00:00.000Z");
    const before = await versionOf();
    expect(await versionOf()).toBe(before);

    await save("2", "2026-11-20T11:00:00.000Z");
    const after = await versionOf();
    await save("3", "2026-11-19T09:00:00.000Z");

    expect(new Set([before, after, await versionOf()]).size).toBe(3);
  });

  it("the version of a range does not change with events of other days and other tenants, and with copies", async () => {
    await save("1", "2026-11-19T10:00:00.000Z");
    const before = await versionOf();

    await save("2", "2026-11-21T10:00:00.000Z");
    await save("3", "2026-11-18T23:59:59.999Z");
    await save("4", "2026-11-19T10:00:00.000Z", "other");
    await save("1", "2026-11-19T10:00:00.000Z");

    expect(await versionOf()).toBe(before);
  });

  it("the version of a range without a beginning has every earlier day", async () => {
    const from = { received: { from: undefined, to: received.to } };
    const before = await versionOf(from);

    await save("1", "2026-11-18T10:00:00.000Z");

    expect(await versionOf(from)).not.toBe(before);
  });

  it("the version of a range changes when one of its days is no longer retained", async () => {
    // The first day has the later transaction, so that its end is not the last one.
    await save("2", "2026-11-20T10:00:00.000Z");
    await save("1", "2026-11-19T10:00:00.000Z");
    const whole = await versionOf();
    await db.ask("select forget_transactions(0, '2026-11-19')");
    const second = await versionOf();
    await db.ask("select forget_transactions(0, '2026-11-20')");

    expect(new Set([whole, second, await versionOf()]).size).toBe(3);
  });

  it("an event of an open transaction changes the version when the transaction has ended and lists have it", async () => {
    const before = await versionOf();
    const session = await db.connectAs("writer");
    try {
      await session.query("begin");
      await session.query("select * from store_batch(array[$1])", [
        JSON.stringify({
          tenant: "default",
          id: "1",
          source: "/s",
          type: "t",
          time: "2026-11-19T10:00:00Z",
          received_at: "2026-11-19T10:00:00Z",
        }),
      ]);
      expect(await versionOf()).toBe(before);
      await eventually(
        () => state(),
        ({ horizonAgeMs }) => horizonAgeMs > 0,
      );
      await session.query("commit");
      await settle(db);

      expect(await versionOf()).not.toBe(before);
    } finally {
      await session.end();
    }
  });

  it("a restored database has other versions, also where the numbers of its transactions are the same", async () => {
    await save("1", "2026-11-19T10:00:00.000Z");
    const before = await versionOf();

    await db.ask("update event_transactions set began_at = began_at + interval '1 microsecond'");

    expect(await versionOf()).not.toBe(before);
  });

  it("the version of a long range is found by the index of days, however many transactions there are", async () => {
    await db.ask(`
      insert into event_transactions (tenant, transaction_number, day, events, retention)
      select 'default', number, date '2026-10-01' + number % 60, 1, 0 from generate_series(1, 60000) as number`);
    await db.ask("analyze event_transactions");
    const blocks = async () => {
      await db.ask("select pg_stat_force_next_flush()");
      const [row] = await db.ask<{ read: string }>(`
        select sum(idx_tup_read) as read from pg_stat_user_indexes where relname = 'event_transactions'`);
      return Number(row?.read);
    };
    const session = await db.connectAs("reader");
    try {
      const before = await blocks();
      await session.query("select * from window_state('default', '2026-10-01', '2026-11-29')");
      await session.query("select pg_stat_force_next_flush()");
      await session.query("select 1");

      await eventually(
        () => blocks(),
        (after) => after > before,
      );
      expect((await blocks()) - before).toBeLessThan(300);
    } finally {
      await session.end();
    }
  });
});
