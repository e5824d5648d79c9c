import * as fc from "fast-check";
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { Event } from "../../functions/core/event.ts";
import { IPV4_PATTERN, IPV6_PATTERN, isInCidr, parseCidr } from "../../functions/core/filter/cidr.ts";
import { parseFilter } from "../../functions/core/filter/filter.ts";
import { toSql } from "../../functions/core/filter/to-sql.ts";
import { createFilterComparison } from "../support/compare-filters.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { MIGRATIONS } from "../support/migrations.ts";
import { storable } from "../support/event-samples.ts";
import { anyFilter, EACH_CONDITION, EACH_SCALAR, eventsOf } from "../support/filter-samples.ts";

const TENANT = "default";
const EVENTS = 100;
const FILTERS = 500;
/** The share of filters that match some of the events and not others. */
const TELLING_MIN = 0.5;

let db: TestDatabase;
let reader: Client;
beforeAll(async () => {
  db = await startMigratedDatabase();
  reader = await db.connectAs("reader");
});
afterAll(async () => {
  await reader.end();
  await db.remove();
});

async function store(events: readonly Event[]) {
  await db.empty("events", "event_keys");
  const outcome = await createEventStore(db.writer).store(
    events.map((event) => storable(event)),
    soon(),
  );
  expect(outcome).toEqual({ stored: events.length, conflicts: [], erased: 0, refused: [] });
  return createFilterComparison(db.owner, reader, TENANT);
}

describe("a filter", () => {
  it("a random filter finds by SQL the events that its predicate finds", async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const [events = []] = fc.sample(eventsOf(EVENTS), { numRuns: 1, seed });
    const comparison = await store(events);
    expect(comparison.events).toHaveLength(EVENTS);

    await fc.assert(
      fc.asyncProperty(anyFilter, async (filter) => {
        expect(await comparison.compare(filter), `events of seed ${seed}`).toBeUndefined();
      }),
      { numRuns: FILTERS, seed },
    );

    expect(comparison.filters.telling / comparison.filters.compared).toBeGreaterThan(TELLING_MIN);
  });
});

describe("a condition", () => {
  it("every condition finds by SQL the values that its predicate finds, and so does anything-but", async () => {
    const comparison = await store(EACH_SCALAR.map((data, i) => storable({ id: String(i), data }).event));

    for (const condition of EACH_CONDITION) {
      expect(await comparison.compare(parseFilter({ data: [condition] })), JSON.stringify(condition)).toBeUndefined();
    }
    const excluded = EACH_CONDITION.filter((each) => !Object.hasOwn(Object(each), "exists"));
    for (const condition of excluded.filter((_, i) => i % 3 === 0)) {
      const filter = parseFilter({ data: [{ "anything-but": condition }] });
      expect(await comparison.compare(filter), JSON.stringify(condition)).toBeUndefined();
    }
    expect(comparison.pairs.compared).toBeGreaterThan(50_000);
  });
});

describe("an address", () => {
  const part = fc.constantFrom(
    "0",
    "1",
    "10",
    "255",
    "256",
    "00",
    "ffff",
    "g",
    "12345",
    ".",
    ":",
    "::",
    "/8",
    "%1",
    " ",
    "1.2.3.4",
  );
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4Extended(),
    fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), part).map(([text, more]) => text + more),
    fc.array(part, { maxLength: 9 }).map((parts) => parts.join("")),
    fc
      .array(fc.constantFrom("0", "1", "a", "ffff", ""), { minLength: 2, maxLength: 9 })
      .map((groups) => groups.join(":")),
    fc
      .array(fc.constantFrom("0", "1", "99", "255", "01"), { minLength: 3, maxLength: 5 })
      .map((octets) => octets.join(".")),
  );
  const ranges = ["0.0.0.0/0", "128.0.0.0/1", "1.2.3.0/24", "::/0", "8000::/1", "::ffff:0:0/96", "::/128"];

  it("a text is in a range of addresses by SQL exactly where it is so by the predicate", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 200, maxLength: 200, size: "max" }), async (texts) => {
        for (const range of ranges) {
          const rows = await db.ask<{ text: string; found: boolean }>(
            "select text, coalesce(filter_address(to_jsonb(text)) <<= cast($2 as inet), false) as found from unnest($1::text[]) as text",
            [texts, range],
          );
          const cidr = parseCidr(range);

          expect(rows).toEqual(texts.map((text) => ({ text, found: cidr !== undefined && isInCidr(text, cidr) })));
        }
      }),
      { numRuns: 10 },
    );
  });

  it("the patterns of addresses in functions/sql/0002_filters.sql are those of the predicate", () => {
    const sql = MIGRATIONS.find(({ name }) => name === "0002_filters.sql")?.sql ?? "";

    expect([...sql.matchAll(/'(\^[^']+[$])'/g)].map(([, pattern]) => pattern)).toEqual([IPV4_PATTERN, IPV6_PATTERN]);
  });
});

it("equality and prefixes of type, source and id are leakproof, so that an index may serve them behind a policy", async () => {
  const exact = { exact: { type: "a", source: "b", subject: "c", id: "d" } };
  const condition = toSql({ all: [exact, { prefix: { type: "a", source: "b", id: "c" } }] }, []);

  expect(condition.replaceAll(/e\.[a-z]+ (?:=|>=|<) \(\$1\)\[\d+\]/g, "").replaceAll(/[() ]|and/g, "")).toBe("");
  const operators = "('texteq', 'text_ge', 'text_lt')";
  expect(await db.ask(`select proname from pg_proc where proleakproof and proname in ${operators}`)).toHaveLength(3);
});
