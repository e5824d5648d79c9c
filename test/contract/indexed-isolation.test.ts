import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { Filter } from "../../functions/core/filter/filter.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable } from "../support/event-samples.ts";
import { declareIndexed } from "../support/indexed-samples.ts";
import { openLists, untilListed } from "../support/lists.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
  await declareIndexed(db, [{ type: "a", pointer: "/v", path: ["v"] }]);
});
afterAll(() => db.remove());

const TENANTS = ["a", "b"];
const VALUES = ["x", "y"];

/** Of two tenants, with the same ids and values. The data of an event names its tenant. */
const interleaved: fc.Arbitrary<StorableEvent[]> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...TENANTS), fc.constantFrom("1", "2", "3"), fc.constantFrom(...VALUES)), {
    selector: ([tenant, id]) => `${tenant} ${id}`,
  })
  .map((keys) => keys.map(([tenant, id, v]) => storable({ id, type: "a", data: { v, tenant } }, { tenant })));

/** A lookup of a tenant finds what that tenant alone has stored, and counts no more. */
async function expectIsolation(): Promise<void> {
  const lists = openLists(db.reader);
  await fc.assert(
    fc.asyncProperty(interleaved, async (events) => {
      await db.empty("events", "event_keys", "event_fields");
      if (events.length > 0) await createEventStore(db.writer).store(events, soon());
      await untilListed(db);
      for (const tenant of TENANTS) {
        for (const values of [["x"], ["y"], VALUES]) {
          const filter: Filter = { all: [{ exact: { type: "a" } }, { data: { v: values } }] };
          const wanted = events.filter(
            (each) => each.tenant === tenant && values.includes((each.event.data as { v: string }).v),
          );

          const page = await lists.page({ tenant, filter, count: "exact" });

          expect(page.events.map(({ id }) => id).toSorted()).toEqual(wanted.map(({ event }) => event.id).toSorted());
          for (const event of page.events) expect(event).toMatchObject({ tenant, data: { tenant } });
          expect(page).toMatchObject({
            plan: "index",
            scanned: { rows: wanted.length },
            count: {
              value: wanted.length,
              relation: "eq",
            },
          });
        }
      }
    }),
    { numRuns: 8 },
  );
}

it("two tenants with the same ids and values each find their own events by a declared field", async () => {
  await expect(expectIsolation()).resolves.toBeUndefined();
});

describe("without the tenant in the predicates of a lookup", () => {
  const PREDICATES = {
    list_events: ["e.tenant = $5", "true"],
    list_source: ["k.tenant = $5", "true"],
    event_at: ["tenant = for_tenant and ", ""],
    find_lookup: ["tenant = for_tenant and ", ""],
  };
  const whole: string[] = [];
  const found: number[] = [];
  beforeEach(async () => {
    for (const [name, [predicate = "", any = ""]] of Object.entries(PREDICATES)) {
      const [row] = await db.ask<{ text: string }>("select pg_get_functiondef($1::regproc) as text", [name]);
      const text = row?.text ?? "";
      whole.push(text);
      found.push(text.split(predicate).length - 1);
      await db.ask(text.replace(predicate, any));
    }
  });
  afterEach(async () => {
    for (const text of whole.splice(0)) await db.ask(text);
  });

  it("without the tenant in the predicates of a lookup the policies alone keep the tenants apart", async () => {
    // Each function had one.
    expect(found).toEqual([1, 1, 1, 1]);

    await expectIsolation();
  });
});

describe("without the policies", () => {
  const eachTable = (change: string) =>
    db.ask(["events", "event_keys", "event_fields"].map((table) => `alter table ${table} ${change}`).join(";"));
  beforeEach(() => eachTable("disable row level security"));
  afterEach(() => eachTable("enable row level security"));

  it("without the policies the predicates of a lookup alone keep the tenants apart", async () => {
    await expectIsolation();
    // They were off: the reader saw every row.
    await createEventStore(db.writer).store(
      [storable({ id: "seen", type: "a", data: { v: 1 } }, { tenant: "a" })],
      soon(),
    );
    const { rows } = await db.reader.execute("select tenant from event_fields where id = 'seen'", {}, soon());
    expect(rows).toEqual([["a"]]);
  });
});
