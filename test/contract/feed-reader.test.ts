import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createFeedReader } from "../../functions/adapters/data-api/feed-reader.ts";
import type { FeedPlace, FeedReader } from "../../functions/core/feed.ts";
import { FEED_PAGE_MAX_BYTES } from "../../functions/core/feed-limits.ts";
import { EVENT_MAX_BYTES } from "../../functions/core/limits.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { describeFeedReader, followToEnd, idsOf, readPage } from "../support/conformance/feed-reader.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable, storables } from "../support/event-samples.ts";
import { settle } from "../support/settle.ts";
import { memoryFeed } from "../unit/query/memory-feed.ts";

let db: TestDatabase;
let reader: FeedReader;
beforeAll(async () => {
  db = await startMigratedDatabase();
  reader = createFeedReader(db.reader);
});
afterAll(() => db.remove());
const empty = () => db.empty("events", "event_keys", "event_transactions", "event_ends");
afterEach(empty);

const store = async (events: StorableEvent[]): Promise<void> => {
  await createEventStore(db.writer).store(events, soon());
  await settle(db);
};
const stateOf = async (after: FeedPlace, tenant = "default") => {
  const allowed = { types: undefined, sources: undefined };
  const page = await reader.read({ tenant, after, allowed, filter: undefined, maxEvents: 10, maxRows: 10 }, soon());
  return page.kind;
};

describeFeedReader("in PostgreSQL", async () => {
  await empty();
  return { reader, store };
});
describeFeedReader("in memory", async () => memoryFeed());

describe("an event of the feed", () => {
  it("an event of the feed is equal to the event that is read by its id, byte for byte", async () => {
    const extensions = { traceid: "abc", sampled: false, brace: "}" };
    await store([
      storable({ id: "1", data: { a: [1, null, "größe 🌊"] }, extensions, time: "2026-11-21T09:30:00.1+05:30" }),
      storable({ id: "2", data: null, subject: "s", dataschema: "https://example.com/s" }),
      storable({ id: "3" }),
    ]);
    const one = createEventReader(db.reader);

    const { events } = await readPage(reader);

    const found = await Promise.all(
      ["1", "2", "3"].map((id) => one.find({ tenant: "default", id, source: "/s" }, soon())),
    );
    expect(events).toBe(`[${found.map((each) => (each.kind === "found" ? each.json : "")).join(",")}]`);
  });

  it("events that fill a page by their bytes come one page after the other, the largest ones too", async () => {
    const data = "\u{1f680}".repeat(EVENT_MAX_BYTES / 4 - 200);
    const sent = Array.from({ length: 8 }, (_, i) => storable({ id: String(i), data }));
    await store(sent);

    const pages = await followToEnd(reader);

    expect(pages.flat()).toEqual(sent.map(({ event }) => event.id));
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 2]);
    expect(4 * EVENT_MAX_BYTES).toBeGreaterThan(FEED_PAGE_MAX_BYTES);
  });

  it.each([
    [-1, 2],
    [0, 3],
    [1, 3],
  ])("a page with %i bytes more than three events need has %i of them", async (more, count) => {
    await store([1, 2, 3].map((n) => storable({ id: String(n), data: "é".repeat(n) })));
    const { events } = await readPage(reader);
    // One byte of room: each event is counted with a comma.
    const bytes = Buffer.byteLength(events) + 1 + more;

    const rows = await db.ask<{ piece: string }>(
      "select piece from read_feed('default', 'start', null, null, null, null, null, 100, $1, 100, 15000) where part = 'place'",
      [bytes],
    );

    expect(JSON.parse(rows[0]?.piece ?? "")).toMatchObject({ events: count });
  });

  it("an event whose text grows when it is written with spaces still fits into a page", async () => {
    const numbers = Array.from({ length: Math.floor(EVENT_MAX_BYTES / 2) - 200 }, () => 1);
    await store([storable({ id: "1", data: numbers }), storable({ id: "2" })]);

    expect((await followToEnd(reader)).flat()).toEqual(["1", "2"]);
  });
});

describe("an open transaction", () => {
  const begin = async () => {
    const writer = await db.connectAs("writer");
    await writer.query("begin");
    const line = (id: string) =>
      JSON.stringify({ ...storable({ id }).event, tenant: "default", received_at: "2026-11-21T09:30:00Z" });
    await writer.query("select store_batch($1)", [[line("open")]]);
    return writer;
  };

  it("an open transaction holds back its events and those of later transactions, and then none is missing", async () => {
    await store([storable({ id: "before" })]);
    const writer = await begin();
    try {
      await createEventStore(db.writer).store([storable({ id: "after" })], soon());

      const held = await readPage(reader);
      await writer.query("commit");
      await settle(db);

      expect(idsOf(held)).toEqual(["before"]);
      expect(held).toMatchObject({ isEnd: true, isOpen: true });
      expect(idsOf(await readPage(reader, { after: held.place }))).toEqual(["open", "after"]);
    } finally {
      await writer.end();
    }
  });

  it("the age of the horizon is that of the oldest open transaction of a writer", async () => {
    const writer = await begin();
    try {
      // The horizon is that of the whole server: an older transaction of another test may end meanwhile.
      const grown = await eventually(
        async () => {
          const first = await readPage(reader);
          await db.ask("select pg_sleep(0.3)");
          return (await readPage(reader)).horizonAgeMs - first.horizonAgeMs;
        },
        (milliseconds) => milliseconds >= 300,
      );

      expect(grown).toBeGreaterThanOrEqual(300);
    } finally {
      await writer.query("rollback");
      await writer.end();
    }
  });

  it("a transaction that is rolled back leaves nothing in the feed", async () => {
    const writer = await begin();
    await writer.query("rollback");
    await writer.end();

    expect(await readPage(reader)).toMatchObject({ count: 0, isEnd: true });
  });

  it("a writer's session has time limits, so that it cannot hold the horizon for long", async () => {
    for (const role of ["writer"] as const) {
      const session = await db.connectAs(role);
      try {
        const { rows } = await session.query(
          "select name, setting, unit from pg_settings where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout') order by 1",
        );

        expect(rows).toEqual([
          { name: "idle_in_transaction_session_timeout", setting: "10000", unit: "ms" },
          { name: "statement_timeout", setting: "50000", unit: "ms" },
          { name: "transaction_timeout", setting: "60000", unit: "ms" },
        ]);
      } finally {
        await session.end();
      }
    }
  });

  it("the local Data API's connections of the writer have these limits as well", async () => {
    const { rows } = await db.writer.execute("select current_setting('transaction_timeout')", {}, soon());

    expect(rows).toEqual([["1min"]]);
  });
});

describe("a place", () => {
  it("a place is forgotten as soon as an event behind it is no longer retained", async () => {
    await store([storable({ id: "1" }, { receivedAt: "2026-11-20T09:00:00.000Z" })]);
    const first = await readPage(reader);
    await store([storable({ id: "2" }, { receivedAt: "2026-11-20T10:00:00.000Z" })]);
    const second = await readPage(reader, { after: first.place });
    await store([storable({ id: "3" })]);
    const start = await readPage(reader, { maxEvents: 1, maxRows: 1 });

    await db.ask("select forget_transactions(0, '2026-11-20')");
    await db.ask("delete from events where received_at < '2026-11-21'");

    expect(await stateOf(first.place)).toBe("forgotten");
    expect(await stateOf(start.place)).toBe("forgotten");
    expect(idsOf(await readPage(reader, { after: second.place }))).toEqual(["3"]);
    expect((await followToEnd(reader)).flat()).toEqual(["3"]);
  });

  it("a place at the end of everything that is no longer retained goes on", async () => {
    await store([storable({ id: "1" })]);
    const { place } = await readPage(reader);

    await db.ask("select forget_transactions(0, '2026-11-21')");

    const now = await readPage(reader, { after: "now" });
    await store([storable({ id: "2" })]);
    for (const after of [place, now.place]) expect(idsOf(await readPage(reader, { after }))).toEqual(["2"]);
  });

  it("a late event of a day that is forgotten ends no follower who begins afterwards, nor one who has read it", async () => {
    for (const id of ["1", "2", "3"]) await store([storable({ id })]);
    const { place: before } = await readPage(reader, { maxEvents: 1 });
    await store([storable({ id: "late" }, { receivedAt: "2026-11-20T09:00:00.000Z" })]);
    const { place: behind } = await readPage(reader);

    await db.ask("select forget_transactions(0, '2026-11-20')");
    await db.ask("delete from events where received_at < '2026-11-21'");

    const { place: now } = await readPage(reader, { after: "now" });
    expect(await stateOf(before)).toBe("forgotten");
    expect((await followToEnd(reader, { maxEvents: 1, maxRows: 1 })).flat()).toEqual(["1", "2", "3"]);
    await store([storable({ id: "4" })]);
    for (const after of [behind, now]) expect(idsOf(await readPage(reader, { after }))).toEqual(["4"]);
  });

  it("a place is forgotten by each day with an event behind it, also where an earlier day had a later event", async () => {
    await store([storable({ id: "1" })]);
    await store([storable({ id: "2" }, { receivedAt: "2026-11-20T09:00:00.000Z" })]);
    await store([storable({ id: "3" }, { receivedAt: "2026-11-19T09:00:00.000Z" })]);
    await db.ask("select forget_transactions(0, '2026-11-19')");
    const { place } = await readPage(reader, { maxEvents: 1, maxRows: 1 });

    await db.ask("select forget_transactions(0, '2026-11-20')");

    expect(await stateOf(place)).toBe("forgotten");
  });

  it("a day that is forgotten while a page is read makes the page none, for its events may be missing in it", async () => {
    await store([storable({ id: "1" })]);
    const { place } = await readPage(reader);
    await store([storable({ id: "2" }, { receivedAt: "2026-11-20T09:00:00.000Z" })]);
    await store([storable({ id: "3" })]);
    await db.ask("begin");
    await db.ask("select forget_transactions(0, '2026-11-20')");
    await db.ask("drop table events_keep_20261120, event_fields_keep_20261120");

    const state = stateOf(place);
    const isWaiting =
      "select count(*) > 0 as is_waiting from pg_locks where not granted and relation = 'events_keep'::regclass";
    await eventually(
      () => db.ask<{ is_waiting: boolean }>(isWaiting),
      ([row]) => row?.is_waiting === true,
    );
    await db.ask("commit");
    await db.ask("select ensure_event_partitions('2026-11-20', '2026-11-20')");

    expect(await state).toBe("forgotten");
  });

  it("a place in the middle of a transaction is forgotten where any of the transaction is no longer retained", async () => {
    await store([
      storable({ id: "1" }, { receivedAt: "2026-11-20T09:00:00.000Z" }),
      storable({ id: "2" }, { receivedAt: "2026-11-20T10:00:00.000Z" }),
      storable({ id: "3" }),
    ]);
    const { place } = await readPage(reader, { maxEvents: 1 });
    expect(place.event).not.toBeNull();

    await db.ask("select forget_transactions(0, '2026-11-20')");

    expect(await stateOf(place)).toBe("forgotten");
  });

  it("a place of a tenant is not forgotten because another tenant's events are", async () => {
    await store([storable({ id: "1" })]);
    const { place } = await readPage(reader);
    await store([storable({ id: "2" }, { tenant: "other", receivedAt: "2026-11-20T09:00:00.000Z" })]);

    await db.ask("select forget_transactions(0, '2026-11-20')");

    expect(await stateOf(place)).toBe("page");
  });

  it("a place whose event was erased goes on with the whole transaction, so nothing is missing", async () => {
    await store(["1", "2", "3"].map((id) => storable({ id })));
    const { place } = await readPage(reader, { maxEvents: 2 });

    await db.ask("delete from events where id = '2'");

    expect(idsOf(await readPage(reader, { after: place }))).toEqual(["1", "3"]);
  });

  it("a place whose transaction the database does not have, or has as another one, is restored", async () => {
    await store([storable({ id: "1" })]);
    const { place } = await readPage(reader);
    const later = { ...place, number: String(Number(place.number) + 1) };
    const other = { ...place, began: String(Number(place.began) + 1) };

    for (const each of [later, other, { ...place, incarnation: randomUUID() }])
      expect(await stateOf(each)).toBe("restored");
    expect(await stateOf(place)).toBe("page");
  });

  it("a follower who read more than a database has after a restore to an earlier time is refused, and others go on", async () => {
    await store([storable({ id: "1" })]);
    const early = await readPage(reader);
    await store([storable({ id: "2" })]);
    const late = await readPage(reader, { after: early.place });
    // A restore to a time between the two: the second transaction never was, and others come in its place.
    await db.ask("delete from events where id = '2'; delete from event_keys where id = '2'");
    await db.ask("delete from event_transactions where transaction_number = $1", [late.place.number]);
    await store(storables(3, "after-restore-"));

    expect(await stateOf(late.place)).toBe("restored");
    expect(idsOf(await readPage(reader, { after: early.place }))).toEqual([0, 1, 2].map((n) => `after-restore-${n}`));
  });
});

describe("a database that was restored from a dump", () => {
  it("a restored database begins a new incarnation, whose numbers are above all earlier ones", async () => {
    await store([storable({ id: "1" })]);
    const { place } = await readPage(reader);
    expect(await db.ask("select ensure_incarnation() as begun")).toEqual([{ begun: false }]);
    // PostgreSQL counts from the beginning again, so the numbers of the dump are far above.
    await db.ask("update events set transaction_number = transaction_number + 5000000000");
    await db.ask("update event_transactions set transaction_number = transaction_number + 5000000000");
    expect(idsOf(await readPage(reader))).toEqual([]);

    await db.migrate();
    await store([storable({ id: "2" }), storable({ id: "3" }, { receivedAt: "2026-11-20T09:00:00.000Z" })]);

    expect((await followToEnd(reader, { maxEvents: 1 })).flat()).toEqual(["1", "3", "2"]);
    expect(await stateOf(place)).toBe("restored");
    expect(await db.ask("select ensure_incarnation() as begun")).toEqual([{ begun: false }]);
    // A partition that is made later counts in the same way.
    await db.ask("select ensure_event_partitions('2026-12-30', '2026-12-30')");
    await store([storable({ id: "4" }, { receivedAt: "2026-12-30T09:00:00.000Z" })]);
    expect((await followToEnd(reader)).flat()).toEqual(["1", "3", "2", "4"]);
  });
});

describe("a database that does not answer", () => {
  it("a database that does not answer is a DatabaseError to try again, never an empty page", async () => {
    db.faults.set([{ kind: "error", error: "DatabaseUnavailableException", calls: 3 }]);

    await expect(readPage(reader)).rejects.toMatchObject({ name: "DatabaseError", disposition: "retry" });
    db.faults.clear();
  });
});
