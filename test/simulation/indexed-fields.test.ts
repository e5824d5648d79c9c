import * as fc from "fast-check";
import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { Filter } from "../../functions/core/filter/filter.ts";
import { toPredicate } from "../../functions/core/filter/predicate.ts";
import { FIELD_MAX_VALUES } from "../../functions/core/list-limits.ts";
import type { EventStore, StorableEvent } from "../../functions/core/ports.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable, storables } from "../support/event-samples.ts";
import {
  DECLARED,
  declareIndexed,
  instantAt,
  sampleEvent,
  sampleFilter,
  toStorable,
} from "../support/indexed-samples.ts";
import { type Changes, openLists, type Page, untilListed } from "../support/lists.ts";

let db: TestDatabase;
let store: EventStore;
let lists: ReturnType<typeof openLists>;
beforeAll(async () => {
  db = await startMigratedDatabase();
  store = createEventStore(db.writer);
  lists = openLists(db.reader);
});
afterAll(() => db.remove());
const empty = () => db.empty("events", "event_keys", "event_fields", "indexed_fields");
beforeEach(empty);

const save = async (events: StorableEvent[]) => {
  const outcome = await store.store(events, soon());
  await untilListed(db);
  return outcome;
};
const pages = async (changes: Changes, direction?: "next" | "prev") => {
  const all: Page[] = [];
  for await (const page of lists.walk(changes, direction)) all.push(page);
  return all;
};
const keysOf = (all: Page[]) => all.flatMap(({ events }) => events.map(({ id, source }) => `${id} ${source}`));
const fieldRows = async () => (await db.ask<{ n: number }>("select count(*)::int as n from event_fields"))[0]?.n;
const having = (v: unknown, type = "a"): Filter => ({ all: [{ exact: { type } }, { data: { v: [v] } }] }) as Filter;
const withValue = (id: string, v: unknown, receivedAt = instantAt(1)) =>
  storable({ id, type: "a", data: { v } }, { receivedAt });

describe("a list by a declared field", () => {
  it.each(["-infinity", instantAt(30)])(
    "a list by a declared field that is covered from %s has the events that the filter matches, in both orders and directions",
    async (coveredFrom) => {
      await declareIndexed(db, DECLARED, coveredFrom);
      const events = fc.sample(sampleEvent, 600).map(toStorable);
      await save(events);
      // What was received before the declaration has no rows.
      await db.ask("delete from event_fields where received_at < $1", [coveredFrom]);
      const sorted = events.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
      const plans = { index: 0, scan: 0, found: 0 };
      await fc.assert(
        fc.asyncProperty(
          sampleFilter,
          fc.record({
            order: fc.constantFrom("-receivedAt" as const, "receivedAt" as const),
            limit: fc.constantFrom(3, 10, 100),
            from: fc.constantFrom(undefined, instantAt(10), instantAt(30)),
            to: fc.constantFrom(undefined, instantAt(30.5), instantAt(60)),
          }),
          async (filter, { order, limit, from, to }) => {
            const request = { filter, order, limit, received: { from, to } };
            const matches = toPredicate(filter);
            const wanted = sorted
              .filter(({ receivedAt }) => receivedAt >= (from ?? "") && receivedAt < (to ?? "9"))
              .filter(({ tenant, event }) => tenant === "default" && matches({ ...event }))
              .map(({ event: { id, source } }) => `${id} ${source}`);
            if (order === "-receivedAt") wanted.reverse();

            const found = await pages(request);
            const cursor = found.at(-1)?.prev ?? undefined;
            const back = cursor === undefined ? [] : await pages({ ...request, cursor }, "prev");

            expect(keysOf(found)).toEqual(wanted);
            expect(keysOf([...back.toReversed(), ...found.slice(-1)])).toEqual(wanted);
            const { count } = await lists.page({ ...request, limit: 1, count: "exact" });
            expect(count).toEqual({ value: wanted.length, relation: "eq" });
            for (const { plan } of [...found, ...back]) plans[plan] += 1;
            plans.found += wanted.length;
          },
        ),
        { numRuns: 100 },
      );
      expect(plans.index).toBeGreaterThan(50);
      expect(plans.scan).toBeGreaterThan(50);
      expect(plans.found).toBeGreaterThan(500);
    },
    120_000,
  );
  const sortKey = ({ receivedAt, event: { id, source } }: StorableEvent) => JSON.stringify([receivedAt, id, source]);

  it("a list by a declared field reads only the events with the value, and says so", async () => {
    await declareIndexed(db, DECLARED);
    await save([...storables(500, "x", { type: "a", data: { v: "other" } }), withValue("found", "wanted")]);

    expect(await lists.page({ filter: having("wanted") })).toMatchObject({
      events: [{ id: "found" }],
      complete: true,
      next: null,
      plan: "index",
      scanned: { rows: 1 },
    });
    expect(await lists.page({ filter: { data: { v: ["wanted"] } } })).toMatchObject({
      events: [{ id: "found" }],
      complete: true,
      next: null,
      plan: "scan",
      scanned: { rows: 501 },
    });
  });

  it("a list by a declared field is of several types only where all of them declare it", async () => {
    await declareIndexed(db, DECLARED);
    await save([
      withValue("1", "x"),
      storable({ id: "2", type: "b", data: { v: "x" } }),
      storable({ id: "3", type: "none" }),
    ]);
    const ofTypes = (...types: string[]): Filter => ({
      all: [{ any: types.map((type) => ({ exact: { type } })) }, { data: { v: ["x"] } }],
    });

    expect(await lists.page({ filter: ofTypes("a", "b") })).toMatchObject({ plan: "index", scanned: { rows: 2 } });
    expect(await lists.page({ filter: ofTypes("a", "none") })).toMatchObject({ plan: "scan", events: [{ id: "1" }] });
  });

  it("a list by a declared field has events that are stored days after they were received", async () => {
    await declareIndexed(db, DECLARED);
    await save([withValue("new", "x", "2026-11-21T09:00:00.000Z")]);
    await save([withValue("late", "x", "2026-11-12T09:00:00.000Z")]);

    expect(keysOf(await pages({ filter: having("x"), limit: 1 }))).toEqual(["new /s", "late /s"]);
  });

  it("a list by a declared field shows what a key may read, and nothing that is stored after its first page", async () => {
    await declareIndexed(db, DECLARED);
    await save(["1", "2", "3"].map((id) => withValue(id, "x")));
    const first = await lists.page({ filter: having("x"), limit: 1 });
    await save([withValue("0", "x")]);

    expect(keysOf(await pages({ filter: having("x"), limit: 1, cursor: first.next ?? "" }))).toEqual(["2 /s", "1 /s"]);
    expect(await lists.page({ filter: having("x"), sources: ["/t"] })).toMatchObject({
      events: [],
      scanned: { rows: 0 },
    });
  });

  it("a list by a declared field is counted by the index, also where an estimate is asked for", async () => {
    await declareIndexed(db, DECLARED);
    await save([
      ...storables(30, "x", { type: "a", data: { v: "x" } }),
      ...storables(30, "y", { type: "a", data: { v: 1 } }),
    ]);

    for (const count of ["exact", "estimate"] as const)
      expect(await lists.page({ filter: having(1), limit: 10, count })).toMatchObject({
        plan: "index",
        count: {
          value: 30,
          relation: "eq",
        },
        scanned: { rows: 10 },
      });
  });
});

describe("a field that was declared later", () => {
  const many = Array.from({ length: 40 }, (_, hour) => withValue(`e${hour}`, "x", instantAt(hour)));

  it("a field that was declared later finds by index what was received since, and the rest by a scan", async () => {
    await save(many.slice(0, 20));
    await declareIndexed(db, DECLARED, instantAt(20));
    await save(many.slice(20));

    const all = await pages({ filter: having("x"), limit: 15 });

    expect(keysOf(all)).toEqual(many.map(({ event }) => `${event.id} /s`).toReversed());
    expect(all.map(({ plan, events, complete }) => [plan, events.length, complete])).toEqual([
      ["index", 15, true],
      ["scan", 15, true],
      ["scan", 10, true],
    ]);
    const oldestFirst = await pages({ filter: having("x"), limit: 15, order: "receivedAt" });
    expect(oldestFirst.map(({ plan }) => plan)).toEqual(["scan", "scan", "index"]);
    const counted = await lists.page({ filter: having("x"), limit: 15, count: "exact" });
    expect(counted).toMatchObject({ plan: "index", count: { value: 40, relation: "eq" } });
  });

  it("a field that was declared later is whole where the range, or all that is stored, is as late", async () => {
    await declareIndexed(db, DECLARED, instantAt(20));
    await save(many);
    const from = instantAt(20);

    const inRange = await lists.page({ filter: having("x"), received: { from, to: undefined }, count: "exact" });
    await db.ask("delete from events where received_at < $1", [from]);
    const all = await lists.page({ filter: having("x"), order: "receivedAt", count: "exact" });

    expect([inRange, all].map(({ plan, count, next }) => [plan, count?.value, next])).toEqual([
      ["index", 20, null],
      ["index", 20, null],
    ]);
  });

  it("a field that is dropped and declared once more has nothing of what was stored before", async () => {
    await declareIndexed(db, DECLARED);
    await save([withValue("1", "x")]);
    await declareIndexed(db, []);
    await save([withValue("2", "x")]);
    expect(await lists.page({ filter: having("x") })).toMatchObject({ plan: "scan", scanned: { rows: 2 } });
    await declareIndexed(db, DECLARED, instantAt(2));
    await save([withValue("3", "x", instantAt(3))]);

    expect(keysOf(await pages({ filter: having("x") }))).toEqual(["3 /s", "2 /s", "1 /s"]);
    expect(await lists.page({ filter: having("x"), limit: 1 })).toMatchObject({ plan: "index", scanned: { rows: 1 } });
  });
});

describe("the rows of declared fields", () => {
  it("the rows of declared fields are written for events that are new, and for no other", async () => {
    await declareIndexed(db, DECLARED);
    await save([withValue("1", ["x", "y", "x"]), withValue("2", { w: 1 }), withValue("3", []), withValue("4", null)]);
    expect(await fieldRows()).toBe(3);

    await save([withValue("1", "other"), withValue("4", null)]);
    const { refused } = await save([
      withValue("5", "z"),
      storable({ id: "6", type: "a", data: { v: "q" }, time: "never" }),
    ]);

    expect(refused).toHaveLength(1);
    expect(await fieldRows()).toBe(4);
  });

  it.each([FIELD_MAX_VALUES - 1, FIELD_MAX_VALUES, FIELD_MAX_VALUES + 1])(
    "the rows of declared fields are one a value for %i values of an event, and one in all for more than the limit",
    async (count) => {
      await declareIndexed(db, DECLARED);
      const values = Array.from({ length: count }, (_, i) => i);
      await save([withValue("many", values), withValue("one", count - 1)]);

      expect(await fieldRows()).toBe(count > FIELD_MAX_VALUES ? 2 : count + 1);
      for (const value of [0, count - 1]) {
        const page = await lists.page({ filter: having(value) });
        expect(page.plan).toBe("index");
        expect(page.events.map(({ id }) => id)).toEqual(value === 0 ? ["many"] : ["one", "many"]);
      }
      expect(await lists.page({ filter: having("none") })).toMatchObject({
        events: [],
        plan: "index",
        scanned: { rows: count > FIELD_MAX_VALUES ? 1 : 0 },
      });
    },
  );

  it("the rows of declared fields whose events are no longer there find nothing", async () => {
    await declareIndexed(db, DECLARED);
    await save([withValue("1", "x"), withValue("2", "x")]);
    await db.ask("delete from events where id = '1'");

    expect(await lists.page({ filter: having("x") })).toMatchObject({ events: [{ id: "2" }], scanned: { rows: 1 } });
  });

  it("the rows of declared fields cost events of other types no write-ahead log", async () => {
    const events = storables(1_000, "e", { type: "none", data: { v: "x", items: [{ sku: 1 }] } });
    const records = async () => {
      // New files: PostgreSQL writes records when it removes deleted rows from the old ones, at times of its own.
      await db.ask("truncate events, event_keys, event_fields, event_transactions, rollup_deltas");
      const heads = events.map(({ event, receivedAt, tenant }) => ({ ...event, tenant, received_at: receivedAt }));
      const [row] = await db.ask<{ "QUERY PLAN": [{ Plan: Record<string, number> }] }>(
        `explain (analyze, wal, format json)
          select insert_all_new(array(select json_populate_record(null::event_head, head) from unnest($1::json[]) as head), $2)`,
        [heads.map((head) => JSON.stringify(head)), events.map(({ event }) => JSON.stringify(event.data))],
      );
      return row?.["QUERY PLAN"][0].Plan["WAL Records"];
    };
    await records();
    const without = await records();

    await declareIndexed(db, DECLARED);

    expect(without).toBeGreaterThan(2_000);
    // The server writes a record of its own now and then.
    expect(Math.abs(Number(await records()) - Number(without))).toBeLessThan(10);
    expect(await fieldRows()).toBe(0);
    await declareIndexed(db, [{ type: "none", pointer: "/v", path: ["v"] }]);
    expect(await records()).toBeGreaterThan(Number(without) + 1_999);
  });
});

describe("the plan of a lookup", () => {
  const FIELDS = JSON.stringify([{ pointer: "/v", values: [7, 8] }]);
  const ORDERING = " order by k.received_at desc, k.id desc, k.source desc";

  /** The plan of the rows of list_events, with the settings of that function, as the reader has it. */
  async function explain(reader: Client): Promise<string> {
    const settings = await reader.query<{ name: string; value: string }>(
      "select split_part(each, '=', 1) as name, split_part(each, '=', 2) as value from pg_proc, unnest(proconfig) as each where proname = 'list_events' and each not like 'search_path=%'",
    );
    for (const { name, value } of settings.rows) await reader.query("select set_config($1, $2, true)", [name, value]);
    const { rows } = await reader.query<{ text: string }>(
      `select list_source(numbers, hashes, rest_before, now(), now(), '', $1) as text
       from find_lookup('default', array['a'], $2, null, null, true, null)`,
      [ORDERING, FIELDS],
    );
    const source = String(rows[0]?.text)
      .replaceAll("$5", "'default'")
      .replaceAll("$8", "'2026-11-21 00:00Z'")
      .replaceAll("$9", "'2026-11-22 00:00Z'");
    const plan = await reader.query<{ "QUERY PLAN": string }>(
      `explain (costs off) select e.id from ${source}${ORDERING}`,
    );
    return plan.rows.map((row) => row["QUERY PLAN"]).join("\n");
  }

  it("the plan of a lookup finds keys and events by index conditions behind the policies, and sorts nothing", async () => {
    await declareIndexed(db, DECLARED);
    await save(storables(2_000, "e", { type: "a", data: { v: 7 } }));
    await db.ask("analyze events, event_fields");
    const reader = await db.connectAs("reader");
    try {
      await reader.query("begin");
      await reader.query("select set_config('app.tenant', 'default', true)");

      const plan = await explain(reader);

      expect(plan).toMatch(
        /Index Only Scan Backward using event_fields_keep_20261121_\S+ on .*\n\s+Index Cond: \(\(tenant = 'default'::text.*?\) AND \(field = \d+\) AND \(value = /,
      );
      expect(plan).toMatch(
        /Index Scan using events_keep_20261121_\S+ on .*\n\s+Index Cond: \(\(tenant = 'default'::text.*?\) AND \(received_at = \S+received_at\) AND \(id = \S+id\)\)/,
      );
      expect(plan).not.toMatch(/Seq Scan|Sort$|Hash/m);
    } finally {
      await reader.end();
    }
  });
});
