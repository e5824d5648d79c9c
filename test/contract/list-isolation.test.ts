import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { Filter } from "../../functions/core/filter/filter.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable } from "../support/event-samples.ts";
import { openLists, untilListed } from "../support/lists.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());

const TENANTS = ["a", "b"];
const IDS = ["1", "2", "3"];
const SOURCES = ["/s", "/t"];

/** Of two tenants, with the same ids and sources. The data of an event names its tenant. */
const interleaved: fc.Arbitrary<StorableEvent[]> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...TENANTS), fc.constantFrom(...IDS), fc.constantFrom(...SOURCES)), {
    selector: (key) => key.join(),
  })
  .map((keys) => keys.map(([tenant, id, source]) => storable({ id, source, data: { tenant } }, { tenant })));

/** Every list of a tenant, whole or by its ids, has what that tenant alone has stored, and counts no more. */
async function expectIsolation(): Promise<void> {
  const lists = openLists(db.reader);
  await fc.assert(
    fc.asyncProperty(interleaved, async (events) => {
      await db.empty("events", "event_keys");
      if (events.length > 0) await createEventStore(db.writer).store(events, soon());
      await untilListed(db);
      for (const tenant of TENANTS) {
        const own = events.filter((each) => each.tenant === tenant).map(({ event }) => event);
        for (const id of [undefined, ...IDS]) {
          const wanted = own.filter((event) => id === undefined || event.id === id);
          const filter: Filter | undefined = id === undefined ? undefined : { exact: { id } };

          const page = await lists.page({ tenant, filter, count: "exact" });

          expect(page.events.map((event) => [event.id, event.source].join()).toSorted()).toEqual(
            wanted.map((event) => [event.id, event.source].join()).toSorted(),
          );
          for (const event of page.events) expect(event).toMatchObject({ tenant, data: { tenant } });
          expect(page.scanned.rows).toBe(wanted.length);
          expect(page.count).toEqual({ value: wanted.length, relation: "eq" });
          const forward = await lists.page({ tenant, filter, limit: 1 });
          if (forward.next !== null)
            expect((await lists.page({ tenant, filter, cursor: forward.next })).events).toEqual(page.events.slice(1));
        }
      }
    }),
    { numRuns: 8 },
  );
}

it("two tenants with the same ids and sources each list their own events", async () => {
  await expect(expectIsolation()).resolves.toBeUndefined();
});

describe("without the tenant in the predicates of list_events", () => {
  const PREDICATES = { "tenant = for_tenant and ": "", "e.tenant = $5": "true" };
  let whole = "";
  let without = "";
  beforeEach(async () => {
    const [row] = await db.ask<{ text: string }>("select pg_get_functiondef('list_events'::regproc) as text");
    whole = row?.text ?? "";
    without = Object.entries(PREDICATES).reduce((text, [predicate, any]) => text.replaceAll(predicate, any), whole);
    await db.ask(without);
  });
  afterEach(() => db.ask(whole));

  it("without the tenant in the predicates of list_events the policies alone keep the tenants apart", async () => {
    expect(Object.keys(PREDICATES).map((predicate) => whole.split(predicate).length - 1)).toEqual([2, 1]);
    // What is left is the estimate, which reads no row.
    expect(without.match(/\btenant = .*/g)).toEqual([expect.stringContaining("%L")]);

    await expectIsolation();
  });
});

describe("without the policies", () => {
  const eachTable = (change: string) =>
    db.ask(["events", "event_keys"].map((table) => `alter table ${table} ${change}`).join(";"));
  beforeEach(() => eachTable("disable row level security"));
  afterEach(() => eachTable("enable row level security"));

  it("without the policies the predicates of list_events alone keep the tenants apart", async () => {
    await expectIsolation();
    // They were off: the reader saw every row.
    await createEventStore(db.writer).store([storable({ id: "seen" }, { tenant: "a" })], soon());
    const { rows } = await db.reader.execute("select tenant from events where id = 'seen'", {}, soon());
    expect(rows).toEqual([["a"]]);
  });
});
