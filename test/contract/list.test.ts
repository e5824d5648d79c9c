import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { Filter } from "../../functions/core/filter/filter.ts";
import { EVENT_MAX_BYTES, ID_MAX_BYTES, SOURCE_MAX_BYTES } from "../../functions/core/limits.ts";
import { COUNT_MAX, LIST_MAX_EVENTS, LIST_PAGE_MAX_BYTES } from "../../functions/core/list-limits.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import type { EventReader, EventStore, StorableEvent } from "../../functions/core/ports.ts";
import { toSelection } from "../../functions/core/selection.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable, storables } from "../support/event-samples.ts";
import { pageUnderWrites } from "../support/list-under-writes.ts";
import { openLists, type Page, untilListed } from "../support/lists.ts";

let db: TestDatabase;
let store: EventStore;
let reader: EventReader;
let lists: ReturnType<typeof openLists>;
beforeAll(async () => {
  db = await startMigratedDatabase();
  store = createEventStore(db.writer);
  reader = createEventReader(db.reader);
  lists = openLists(db.reader);
});
afterAll(() => db.remove());
afterEach(() => db.empty("events", "event_keys"));

/** Received a minute apart, the first one first. */
const minutes = (count: number, changes: Parameters<typeof storable>[0] = {}): StorableEvent[] =>
  Array.from({ length: count }, (_, i) => storable({ ...changes, id: `m${i}` }, { receivedAt: minute(i) }));
const minute = (number: number) => new Date(Date.UTC(2026, 10, 21, 0, number)).toISOString();
const save = async (events: StorableEvent[]) => {
  for (let from = 0; from < events.length; from += 1_000) await store.store(events.slice(from, from + 1_000), soon());
  await untilListed(db);
};
const idsOf = (page: Page) => page.events.map(({ id }) => id);
const all = async (...given: Parameters<typeof lists.walk>) => {
  const pages: Page[] = [];
  for await (const page of lists.walk(...given)) pages.push(page);
  return pages;
};
const ofType = (type: string): Filter => ({ exact: { type } });

describe("a list", () => {
  it("a list has the events newest first, or oldest first, and says that there are no others", async () => {
    await save(minutes(3));

    expect(await lists.page()).toMatchObject({ next: null, prev: null, complete: true, scanned: { rows: 3 } });
    expect(idsOf(await lists.page())).toEqual(["m2", "m1", "m0"]);
    expect(idsOf(await lists.page({ order: "receivedAt" }))).toEqual(["m0", "m1", "m2"]);
  });

  it("a list of nothing is empty and complete", async () => {
    expect(await lists.page()).toEqual({
      events: [],
      next: null,
      prev: null,
      complete: true,
      plan: "scan",
      scanned: { rows: 0 },
    });
  });

  it("a list has each event byte for byte as it is read alone", async () => {
    const given = [
      storable({ id: "plain" }),
      storable({ id: "null", data: null }),
      storable({ id: "digits", data: parseLossless('{"n":[12345678901234567890,1.50]}').lossless }),
      storable({ id: "text", subject: '\u{1f680}\ufffe\u0001"\\', data: '{"}],\n\u2028' }),
      storable({ id: "ext", extensions: { a: '"}', b: true, c: -3 }, time: "2026-11-21t09:30:00.5+05:30" }),
      storable({ id: "binary", data_base64: "AAEC", datacontenttype: "image/png" }),
      storable({ id: "large", data: '\u{1f680}"'.repeat(30_000) }),
    ];
    await save(given);

    const text = await lists.text();
    const alone = await Promise.all(
      given.map(async ({ event: { id } }) => {
        const found = await reader.find({ tenant: "default", id, source: "/s" }, soon());
        return found.kind === "found" ? found.json : found.kind;
      }),
    );

    const [events = ""] = /(?<=^\{"events":\[).*(?=\],"next":null,)/s.exec(text) ?? [];
    const inOrder = alone.toSorted((a, b) => (idIn(a) < idIn(b) ? 1 : -1));
    // Compared as texts, because a failure would print a quarter of a megabyte.
    expect(events === inOrder.join(",")).toBe(true);
    expect(JSON.parse(text)).toMatchObject({ complete: true });
  });
  const idIn = (json: string) => (JSON.parse(json) as { id: string }).id;

  it.each([LIST_MAX_EVENTS - 1, LIST_MAX_EVENTS])("a page has as many events as its limit: %i", async (limit) => {
    await save(storables(LIST_MAX_EVENTS + 1, "e"));

    const page = await lists.page({ limit });

    expect(page.events).toHaveLength(limit);
    expect(page).toMatchObject({ complete: true, prev: null, next: expect.any(String), scanned: { rows: limit } });
  });

  it("a page that ends with the last event has no next one, and one event more has one", async () => {
    await save(minutes(5));

    expect((await lists.page({ limit: 5 })).next).toBeNull();
    expect((await lists.page({ limit: 4 })).next).not.toBeNull();
    expect((await lists.page({ limit: 2, filter: ofType("none") })).next).toBeNull();
  });

  it("a list of a range has the events from its beginning on, and not the one at its end", async () => {
    await save(minutes(5));
    const received = { from: minute(1), to: minute(3) };

    expect(idsOf(await lists.page({ received }))).toEqual(["m2", "m1"]);
    expect(await all({ received, limit: 1 })).toHaveLength(2);
  });

  it("a list of a range of the producer's time has the events whose time is in it, to the microsecond", async () => {
    const times = ["09:29:59.999999Z", "09:30:00Z", "09:30:00.000001Z", "10:30:00.5+01:00", "09:30:01Z"];
    await save(times.map((time, i) => storable({ id: `t${i}`, time: `2026-11-21T${time}` })));
    const produced = { from: "2026-11-21T09:30:00.000001Z", to: "2026-11-21T09:30:01.000000Z" };

    expect(idsOf(await lists.page({ produced })).toSorted()).toEqual(["t2", "t3"]);
  });

  it("a list shows events of the types and sources that the key may read, and counts no others", async () => {
    await save([
      storable({ id: "1", type: "com.shop.sold", source: "/shop/1" }),
      storable({ id: "2", type: "com.hr.hired", source: "/shop/1" }),
      storable({ id: "3", type: "com.shop.sold", source: "/hr" }),
      storable({ id: "4", type: "com.shop.*", source: "/shop/2" }),
    ]);
    const allowed = { types: ["com.shop.*"], sources: ["/shop/*"] };

    const page = await lists.page({ ...allowed, count: "exact" });

    expect(idsOf(page)).toEqual(["4", "1"]);
    expect(page).toMatchObject({ scanned: { rows: 2 }, count: { value: 2, relation: "eq" }, next: null });
    expect(await lists.page({ types: [], count: "exact" })).toMatchObject({ events: [], count: { value: 0 } });
  });

  it("a list has the selected members alone, as they are written", async () => {
    await save([
      storable({ data: parseLossless('{"a":{"b":1.5000000000000000,"c":2},"d":12345678901234567890}').lossless }),
    ]);
    const select = toSelection(["id", "data.a.b", "/data/d", "data.none"], (fault) => {
      throw new Error(fault);
    });

    expect(await lists.text({ select })).toContain(
      '[{"id":"1","data":{"a":{"b":1.5000000000000000},"d":12345678901234567890}}]',
    );
  });
});

describe("the pages of a list", () => {
  it.each(["-receivedAt", "receivedAt"] as const)(
    "the pages of a list have each event once, forwards and backwards, in the order %s",
    async (order) => {
      // Many at the same instant and of the same id, so that the order needs the id and the source.
      const given = Array.from({ length: 60 }, (_, i) =>
        storable({ id: `e${i % 7}`, source: `/s${i}` }, { receivedAt: minute(Math.floor(i / 25)) }),
      );
      await save(given);
      const keys = (pages: Page[]) => pages.flatMap(({ events }) => events.map(({ id, source }) => `${id} ${source}`));
      const sorted = given
        .toSorted((a, b) =>
          compare([a.receivedAt, a.event.id, a.event.source], [b.receivedAt, b.event.id, b.event.source]),
        )
        .map(({ event: { id, source } }) => `${id} ${source}`);

      const forwards = await all({ order, limit: 7 });
      const last = forwards.at(-1);
      const backwards = await all({ order, limit: 7, cursor: last?.prev ?? "none" }, "prev");

      expect(keys(forwards)).toEqual(order === "receivedAt" ? sorted : sorted.toReversed());
      expect([...keys(backwards.toReversed()), ...keys(last === undefined ? [] : [last])]).toEqual(keys(forwards));
      expect(forwards).toHaveLength(9);
      // Each page backwards leads forwards to the page after it.
      expect(idsOf(await lists.page({ order, limit: 7, cursor: backwards[0]?.next ?? "none" }))).toEqual(
        idsOf(last as Page),
      );
    },
  );
  const compare = (a: string[], b: string[]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

  it("the pages of a list have no event that was stored after the first page", async () => {
    await save(minutes(4));
    const first = await lists.page({ limit: 2, count: "exact" });
    await save([
      storable({ id: "late" }, { receivedAt: minute(1) }),
      storable({ id: "new" }, { receivedAt: minute(9) }),
    ]);

    const second = await lists.page({ limit: 5, count: "exact", cursor: first.next ?? "none" });

    expect([...idsOf(first), ...idsOf(second)]).toEqual(["m3", "m2", "m1", "m0"]);
    expect([first.count, second.count]).toEqual([1, 2].map(() => ({ value: 4, relation: "eq" })));
    expect(idsOf(await lists.page({ limit: 5, cursor: second.prev ?? "none", count: "exact" }))).toEqual(["m3", "m2"]);
  });

  it("the pages of a list go on though the event at their cursor was deleted", async () => {
    await save(minutes(4));
    const { next } = await lists.page({ limit: 2 });
    await db.ask("delete from events where id = 'm2'");

    expect(idsOf(await lists.page({ cursor: next ?? "none" }))).toEqual(["m1", "m0"]);
  });

  it("the pages of a list go on behind an event with the longest id and source, unless it was deleted", async () => {
    const long = storable(
      { id: '"'.repeat(ID_MAX_BYTES), source: "\u{1f680}".repeat(SOURCE_MAX_BYTES / 4) },
      { receivedAt: minute(2) },
    );
    await save([...minutes(2), long]);
    const { next, ...page } = await lists.page({ limit: 1 });
    expect(page.events).toMatchObject([{ id: long.event.id }]);

    expect(next?.length).toBeLessThanOrEqual(512);
    expect(idsOf(await lists.page({ cursor: next ?? "none" }))).toEqual(["m1", "m0"]);
    await db.ask("delete from events where id = $1", [long.event.id]);
    await expect(lists.page({ cursor: next ?? "none" })).rejects.toMatchObject({ code: "cursor_expired" });
  });

  it("a cursor is refused for another tenant, filter, range, order, count or key", async () => {
    await save(minutes(4));
    const cursor = (await lists.page({ limit: 2 })).next ?? "none";
    const others = [
      { tenant: "b" },
      { filter: ofType("x") },
      { received: { from: minute(0), to: undefined } },
      { produced: { from: undefined, to: minute(0) } },
      { order: "receivedAt" as const },
      { count: "exact" as const },
      { types: ["com.*"] },
    ];

    for (const other of others)
      await expect(lists.page({ ...other, cursor }), JSON.stringify(other)).rejects.toMatchObject({
        code: "cursor_mismatch",
      });
    await expect(lists.page({ cursor: `${cursor.slice(0, -2)}xx` })).rejects.toMatchObject({ code: "bad_cursor" });
    expect(idsOf(await lists.page({ cursor, limit: 1 }))).toEqual(["m1"]);
  });

  it("the pages of a list have each event below its horizon once, forwards and backwards, while others are stored", async () => {
    const { listed, written } = await pageUnderWrites(db, { rows: 4_000, writers: 3, limit: 97 });

    expect(listed).toBeGreaterThanOrEqual(4_000);
    expect(written).toBeGreaterThan(0);
  });

  it("a page ends before its events are too large for a result, and the next one goes on", async () => {
    const large = Array.from({ length: 9 }, (_, i) =>
      storable({ id: `l${i}`, data: '"'.repeat((EVENT_MAX_BYTES - 1_000) / 2) }, { receivedAt: minute(i) }),
    );
    for (const each of large) await save([each]);

    const pages = await all({ limit: 9 });

    expect(pages.flatMap(idsOf)).toEqual(Array.from({ length: 9 }, (_, i) => `l${8 - i}`));
    expect(pages.length).toBeGreaterThan(4);
    expect(pages.map(({ complete }) => complete)).toEqual(pages.map(() => true));
    expect(pages.map(({ scanned }) => scanned.rows)).toEqual(pages.map(({ events }) => events.length));
    const back = await all({ limit: 9, cursor: pages.at(-1)?.prev ?? "none" }, "prev");
    expect(back.toReversed().flatMap(idsOf)).toEqual(Array.from({ length: 8 }, (_, i) => `l${8 - i}`));
  });

  it("a page is as large as a result of the Data API may be, whatever the size of its events", async () => {
    const small = storables(LIST_MAX_EVENTS, "s", { data: "x".repeat(700) });
    await save(small);

    const [first] = await all({ limit: LIST_MAX_EVENTS });

    expect(JSON.stringify(JSON.stringify(first?.events)).length).toBeGreaterThan(LIST_PAGE_MAX_BYTES * 0.8);
    expect((await all({ limit: LIST_MAX_EVENTS })).flatMap(idsOf)).toHaveLength(LIST_MAX_EVENTS);
  });
});

describe("a list with a filter", () => {
  it("a list with a filter has the events that pass it, with every text bound", async () => {
    const hostile = ["' or true --", "$1", "($1)[1]", "%", ":name", "a\nb", "\\", "\u{1f680}\ufffd", "x*", '"'];
    await save([
      storable({ id: "other" }),
      ...hostile.map((text) => storable({ id: text, type: text, data: { [text]: text } })),
    ]);

    for (const text of hostile) {
      for (const filter of [
        ofType(text),
        { exact: { id: text } },
        { all: [{ prefix: { type: text } }, { not: { exact: { type: "none" } } }] },
        { data: { [text]: [text] } },
      ] satisfies Filter[])
        expect(idsOf(await lists.page({ filter })), `${text} ${JSON.stringify(filter)}`).toEqual([text]);
    }
  });

  it("a list of some ids looks them up, and reads no other row", async () => {
    await save([...minutes(20), storable({ id: "m3", source: "/other" }, { receivedAt: minute(7) })]);
    const any = (...ids: string[]): Filter => ({ any: ids.map((id) => ({ exact: { id } })) });

    const page = await lists.page({ filter: any("m3", "m5", "none") });

    expect(page.events.map(({ id, source }) => `${id} ${source}`)).toEqual(["m3 /other", "m5 /s", "m3 /s"]);
    expect(page).toMatchObject({ scanned: { rows: 3 }, next: null });
    expect(await lists.page({ filter: any("none") })).toMatchObject({ events: [], scanned: { rows: 0 }, next: null });
    const [first, second] = await all({ filter: any("m3"), limit: 1 });
    expect([first, second].flatMap((each) => each?.events.map(({ source }) => source))).toEqual(["/other", "/s"]);
  });

  it("a filter that matches nothing ends each page on time, and the pages end", async () => {
    await db.ask(`insert into events (tenant, id, source, type, time, received_at, retention, data)
      select 'default', 'x' || number, '/s', 't', now(), timestamptz '2026-11-20 00:00Z' + number * interval '1 second', 0, '{"a":1}'
      from generate_series(1, 60000) as number`);
    await untilListed(db);
    const filter: Filter = { data: { a: [{ wildcard: "*b*c*" }] } };
    const short = openLists(db.reader, { budgetMs: 40 });
    const pages: Page[] = [];
    let started = performance.now();
    for await (const page of short.walk({ filter })) {
      expect(performance.now() - started).toBeLessThan(5_000);
      pages.push(page);
      started = performance.now();
    }

    expect(pages.length).toBeGreaterThan(1);
    expect(pages.slice(0, -1).map(({ complete }) => complete)).toEqual(pages.slice(0, -1).map(() => false));
    expect(pages.flatMap(idsOf)).toEqual([]);
    expect(pages.reduce((rows, { scanned }) => rows + scanned.rows, 0)).toBe(60_000);
    expect(pages.at(-1)).toMatchObject({ complete: true });
  });
});

describe("a count", () => {
  it.each([
    [COUNT_MAX - 1, { value: COUNT_MAX - 1, relation: "eq" }],
    [COUNT_MAX, { value: COUNT_MAX, relation: "eq" }],
    [COUNT_MAX + 1, { value: COUNT_MAX, relation: "gte" }],
  ])("an exact count of %i events", async (rows, count) => {
    await db.ask(
      `insert into events (tenant, id, source, type, time, received_at, retention)
       select 'default', 'x' || number, '/s', 't', now(), timestamptz '2026-11-20 00:00Z' + number * interval '1 second', 0
       from generate_series(1, $1) as number`,
      [rows],
    );
    await untilListed(db);

    expect((await lists.page({ limit: 2, count: "exact" })).count).toEqual(count);
    expect((await lists.page({ limit: 2 })).count).toBeUndefined();
  });

  it("an estimate of a short list is exact, and one of a long list is near and never called exact", async () => {
    await save(minutes(50));
    expect((await lists.page({ limit: 2, count: "estimate" })).count).toEqual({ value: 50, relation: "eq" });
    await db.ask(`insert into events (tenant, id, source, type, time, received_at, retention)
      select 'default', 'x' || number, '/s', 't' || number % 4, now(), timestamptz '2026-11-20 00:00Z' + number * interval '1 second', 0
      from generate_series(1, 40000) as number`);
    await db.ask("analyze events");
    await untilListed(db);

    const { count } = await lists.page({ limit: 2, count: "estimate", filter: ofType("t1") });

    expect(count).toMatchObject({ relation: "estimate" });
    expect(count?.value).toBeGreaterThan(5_000);
    expect(count?.value).toBeLessThan(20_000);
  });
});
