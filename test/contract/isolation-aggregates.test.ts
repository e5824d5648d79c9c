import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAggregateReader } from "../../functions/adapters/data-api/aggregate-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { AggregateReader, AggregateScan } from "../../functions/core/aggregate-reader.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable } from "../support/event-samples.ts";

let db: TestDatabase;
let reader: AggregateReader;
beforeAll(async () => {
  db = await startMigratedDatabase();
  reader = createAggregateReader(db.reader);
});
afterAll(() => db.remove());
beforeEach(() => db.empty("events", "event_keys", "rollups", "rollup_deltas"));

const TENANTS = ["a", "b"];

/** Of two tenants, with the same ids. The type of an event names its tenant. */
const interleaved: fc.Arbitrary<StorableEvent[]> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...TENANTS), fc.integer({ min: 0, max: 9 })), { selector: String })
  .map((keys) => keys.map(([tenant, id]) => storable({ id: String(id), type: `of.${tenant}` }, { tenant })));

const scanOf = (tenant: string): AggregateScan => ({
  tenant,
  allowed: { types: undefined, sources: undefined },
  filter: undefined,
  from: "2026-11-21T00:00:00.000000Z",
  to: "2026-11-22T00:00:00.000000Z",
  every: undefined,
  timeZone: "UTC",
  fields: ["type"],
  measures: ["count"],
});

/**
 * Each tenant counts its own events and no others, merged or not, from rollups and from rows. Removals of
 * another tenant are none of its own.
 */
async function expectIsolation(): Promise<void> {
  await db.ask(
    `insert into event_removals (tenant, events_before, rollups_before) values ('c', '2026-11-22', '2026-11-22')
     on conflict do nothing`,
  );
  await fc.assert(
    fc.asyncProperty(interleaved, fc.boolean(), async (events, merged) => {
      await db.empty("events", "event_keys", "rollups", "rollup_deltas");
      if (events.length > 0) await createEventStore(db.writer).store(events, soon());
      if (merged) await db.ask("select compact_rollups('2026-11-22', 1000)");
      for (const tenant of TENANTS) {
        const own = events.filter((each) => each.tenant === tenant).length;
        const expected = own === 0 ? [] : [{ groups: `["of.${tenant}"]`, measured: [String(own)] }];

        expect((await reader.fromRollups(scanOf(tenant), soon()))?.rows).toMatchObject(expected);
        expect(await reader.fromEvents(scanOf(tenant), soon())).toMatchObject({
          rows: expected,
          scanned: own,
          droppedBefore: undefined,
        });
      }
    }),
    { numRuns: 12 },
  );
  expect(await reader.fromRollups(scanOf("c"), soon())).toBeUndefined();
  expect(await reader.fromEvents(scanOf("c"), soon())).toMatchObject({ droppedBefore: Date.parse("2026-11-22") });
}

it("an aggregate of rows counts in what it has read only the events that the key may see", async () => {
  const events = [...Array(305).keys()].map((id) =>
    storable({ id: String(id), type: id % 61 === 0 ? "com.example.num" : "com.example.other" }, { tenant: "a" }),
  );
  await createEventStore(db.writer).store(events, soon());
  const scan = (types?: string[]) =>
    reader.fromEvents({ ...scanOf("a"), allowed: { types, sources: undefined } }, soon());

  expect((await scan()).scanned).toBe(305);
  expect((await scan(["com.example.num"])).scanned).toBe(5);
  expect((await scan(["com.example.n*"])).scanned).toBe(5);
});

describe("two tenants", () => {
  it("two tenants each aggregate their own events", expectIsolation);
});

describe("without the tenant in the predicates", () => {
  const PREDICATES = [/tenant = for_tenant and /g, /tenant = \$[12] and /g];
  const FUNCTIONS = { aggregate_events: 1, aggregate_rollups: 5, scan_events: 4 };
  let whole: string[] = [];
  beforeEach(async () => {
    const rows = await db.ask<{ text: string }>(
      "select pg_get_functiondef(oid) as text from pg_proc where proname = any($1) order by proname",
      [Object.keys(FUNCTIONS)],
    );
    whole = rows.map(({ text }) => text);
    for (const text of whole) await db.ask(without(text));
  });
  afterEach(async () => {
    for (const text of whole) await db.ask(text);
  });
  const without = (text: string) => PREDICATES.reduce((rest, each) => rest.replaceAll(each, ""), text);

  it("without the tenant in the predicates of aggregates the policies alone keep the tenants apart", async () => {
    expect(whole.map((text) => PREDICATES.flatMap((each) => text.match(each) ?? []).length)).toEqual(
      Object.values(FUNCTIONS),
    );

    await expectIsolation();
  });
});

describe("without the policies", () => {
  const TABLES = ["events", "event_keys", "rollups", "rollup_deltas", "event_removals"];
  const eachTable = (change: string) => db.ask(TABLES.map((table) => `alter table ${table} ${change}`).join(";"));
  beforeEach(() => eachTable("disable row level security"));
  afterEach(() => eachTable("enable row level security"));

  it("without the policies the predicates of aggregates alone keep the tenants apart", async () => {
    await expectIsolation();
    // They were off: the reader saw every row.
    await createEventStore(db.writer).store([storable({ id: "seen" }, { tenant: "a" })], soon());
    const { rows } = await db.reader.execute("select tenant from rollup_deltas where tenant = 'a' limit 1", {}, soon());
    expect(rows).toEqual([["a"]]);
  });
});
