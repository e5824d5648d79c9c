import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { EventReader, StorableEvent } from "../../functions/core/ports.ts";
import { soon, startDatabase, type TestDatabase } from "../support/database.ts";
import { storable } from "../support/event-samples.ts";

let db: TestDatabase;
let reader: EventReader;
beforeAll(async () => {
  db = await startDatabase();
  await db.migrate();
  reader = createEventReader(db.reader);
});
afterAll(() => db.remove());
beforeEach(() => db.ask("truncate events, event_keys"));

const TENANTS = ["a", "b"];
const IDS = ["1", "2", "3"];
const SOURCES = ["/s", "/t"];

/** Of two tenants, with the same ids and sources. The data of an event names its tenant. */
const interleaved: fc.Arbitrary<StorableEvent[]> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...TENANTS), fc.constantFrom(...IDS), fc.constantFrom(...SOURCES)), {
    selector: (key) => key.join(),
  })
  .map((keys) => keys.map(([tenant, id, source]) => storable({ id, source, data: { tenant } }, { tenant })));

/** Whatever the reader finds, for each tenant and each key, is what that tenant alone has stored. */
async function expectIsolation(): Promise<void> {
  await fc.assert(
    fc.asyncProperty(interleaved, async (events) => {
      await db.ask("truncate events, event_keys");
      if (events.length > 0) await createEventStore(db.writer).store(events, soon());
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
    }),
    { numRuns: 12 },
  );
}

describe("two tenants", () => {
  it("two tenants with the same ids and sources each find their own events", expectIsolation);
});

describe("without the tenant in the predicate of read_event", () => {
  const PREDICATE = "tenant = for_tenant and ";
  let whole = "";
  beforeEach(async () => {
    const [row] = await db.ask<{ text: string }>("select pg_get_functiondef('read_event'::regproc) as text");
    whole = row?.text ?? "";
    await db.ask(whole.replace(PREDICATE, ""));
  });
  afterEach(() => db.ask(whole));

  it("without the tenant in the predicate of read_event the policies alone keep the tenants apart", async () => {
    expect(whole.split(PREDICATE)).toHaveLength(2);

    await expectIsolation();
  });
});

describe("without the policies", () => {
  const eachTable = (change: string) =>
    db.ask(["events", "event_keys"].map((table) => `alter table ${table} ${change}`).join(";"));
  beforeEach(() => eachTable("disable row level security"));
  afterEach(() => eachTable("enable row level security"));

  it("without the policies the predicate of read_event alone keeps the tenants apart", async () => {
    await expectIsolation();
    // They were off: the reader saw every row.
    await createEventStore(db.writer).store([storable({ id: "seen" }, { tenant: "a" })], soon());
    const { rows } = await db.reader.execute("select tenant from events where id = 'seen'", {}, soon());
    expect(rows).toEqual([["a"]]);
  });
});
