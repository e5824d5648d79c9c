import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createFeedReader } from "../../functions/adapters/data-api/feed-reader.ts";
import { createWindowReader } from "../../functions/adapters/data-api/window-reader.ts";
import type { WindowReader } from "../../functions/core/window-reader.ts";
import type { FeedReader } from "../../functions/core/feed.ts";
import type { EventReader, StorableEvent } from "../../functions/core/ports.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { followToEnd, readPage } from "../support/conformance/feed-reader.ts";
import { storable } from "../support/event-samples.ts";
import { settle } from "../support/settle.ts";

let db: TestDatabase;
let reader: EventReader;
let feed: FeedReader;
let windows: WindowReader;
beforeAll(async () => {
  db = await startMigratedDatabase();
  reader = createEventReader(db.reader);
  feed = createFeedReader(db.reader);
  windows = createWindowReader(db.reader);
});
afterAll(() => db.remove());
const empty = () => db.empty("events", "event_keys", "event_transactions", "event_ends");
beforeEach(empty);

const TENANTS = ["a", "b"];
const IDS = ["1", "2", "3"];
const SOURCES = ["/s", "/t"];

/** Of two tenants, with the same ids and sources. The data of an event names its tenant. */
const interleaved: fc.Arbitrary<StorableEvent[]> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...TENANTS), fc.constantFrom(...IDS), fc.constantFrom(...SOURCES)), {
    selector: (key) => key.join(),
  })
  .map((keys) => keys.map(([tenant, id, source]) => storable({ id, source, data: { tenant } }, { tenant })));

const ALL_TIME = { from: undefined, to: undefined };

/** Whatever the reader finds, for each tenant and each key, is what that tenant alone has stored. */
async function expectIsolation(): Promise<void> {
  await fc.assert(
    fc.asyncProperty(interleaved, async (events) => {
      await empty();
      if (events.length > 0) await createEventStore(db.writer).store(events, soon());
      await settle(db);
      const { version: nothing } = await windows.read({ tenant: "nobody", received: ALL_TIME }, soon());
      const keys = TENANTS.flatMap((tenant) =>
        IDS.flatMap((id) => [undefined, ...SOURCES].map((source) => ({ tenant, id, source }))),
      );
      await Promise.all(
        keys.map(async (key) => {
          const own = events
            .filter(({ tenant, event }) => tenant === key.tenant && event.id === key.id)
            .map(({ event }) => event.source)
            .filter((source) => key.source === undefined || source === key.source)
            .toSorted();

          const found = await reader.find(key, soon());

          if (found.kind === "found") {
            const [source, ...others] = own;
            expect(others).toEqual([]);
            expect(JSON.parse(found.json)).toMatchObject({ source, tenant: key.tenant, data: { tenant: key.tenant } });
          } else if (found.kind === "ambiguous") expect(found.sources).toEqual(own);
          else expect(own).toEqual([]);
        }),
      );
      for (const tenant of TENANTS) {
        const own = events.filter((each) => each.tenant === tenant).map(({ event }) => event.id);
        expect((await followToEnd(feed, { tenant, maxEvents: 2 })).flat().toSorted()).toEqual(own.toSorted());
        const { events: text } = await readPage(feed, { tenant });
        for (const each of JSON.parse(text) as object[]) expect(each).toMatchObject({ tenant, data: { tenant } });
        // One transaction has the events of both, so a tenant's day has a state where that tenant has an event, and only there.
        const { version } = await windows.read({ tenant, received: ALL_TIME }, soon());
        expect(version === nothing).toBe(own.length === 0);
      }
    }),
    { numRuns: 12 },
  );
}

describe("two tenants", () => {
  it("two tenants with the same ids and sources each find their own events", expectIsolation);
});

describe.each([
  ["read_event", 1, /tenant = for_tenant and /g],
  ["window_state", 3, /tenant = for_tenant and /g],
  ["read_feed", 11, /tenant = for_tenant(?: and)?|(?:e\.)?tenant = \$[12] and /g],
])("without the tenant in the predicate of %s", (name, count, predicate) => {
  let whole = "";
  beforeEach(async () => {
    const [row] = await db.ask<{ text: string }>(`select pg_get_functiondef('${name}'::regproc) as text`);
    whole = row?.text ?? "";
    await db.ask(
      whole.replaceAll(predicate, (found) => (found.endsWith("and") || found.endsWith("and ") ? "" : "true")),
    );
  });
  afterEach(() => db.ask(whole));

  it(`without the tenant in the predicate of ${name} the policies alone keep the tenants apart`, async () => {
    expect(whole.match(predicate)).toHaveLength(count);

    await expectIsolation();
  });
});

describe("without the policies", () => {
  const eachTable = (change: string) =>
    db.ask(
      ["events", "event_keys", "event_transactions", "event_ends"]
        .map((table) => `alter table ${table} ${change}`)
        .join(";"),
    );
  beforeEach(() => eachTable("disable row level security"));
  afterEach(() => eachTable("enable row level security"));

  it("without the policies the predicates of the functions alone keep the tenants apart", async () => {
    await expectIsolation();
    // They were off: the reader saw every row.
    await createEventStore(db.writer).store([storable({ id: "seen" }, { tenant: "a" })], soon());
    const { rows } = await db.reader.execute("select tenant from events where id = 'seen'", {}, soon());
    expect(rows).toEqual([["a"]]);
  });
});
