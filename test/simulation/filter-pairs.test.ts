import * as fc from "fast-check";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { ExecuteSql, SqlValue } from "../../functions/core/ports.ts";
import { splitStatements } from "../../functions/migrate/split-statements.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { createFilterComparison } from "../support/compare-filters.ts";
import { MIGRATIONS } from "../support/migrations.ts";
import { storable } from "../support/event-samples.ts";
import { anyFilter, eventsOf } from "../support/filter-samples.ts";

/** The contract test (filter-sql.test.ts) compares fewer pairs, and other ones each time. */
const EVENTS = 10_000;
const FILTERS = 1_000;
const CHUNK_EVENTS = 1_000;
const TEST_TIMEOUT_MS = 1_800_000;
const TENANT = "default";

let cluster: TestCluster;
let owner: Client;
let reader: Client;
beforeAll(async () => {
  cluster = await startCluster({ prepared: false });
  owner = new Client(cluster.postgres.url);
  await owner.connect();
  for (const { sql } of MIGRATIONS) for (const statement of splitStatements(sql)) await owner.query(statement);
  await owner.query("select ensure_event_partitions('2026-11-21', '2026-11-21')");
  await owner.query("grant sluice_reader to current_user with set true");
  reader = new Client(cluster.postgres.url);
  await reader.connect();
  await reader.query("set role sluice_reader");
});
afterAll(async () => {
  await reader.end();
  await owner.end();
  await cluster.remove();
});

/** Calls store_batch as the Data API does, without its server: the test is about what comes after it. */
const storeBatch: ExecuteSql = async (sql, { heads, data, origins }) => {
  const text = sql.replace(":heads", "$1").replace(":data", "$2").replace(":origins", "$3");
  const query = { text, values: [heads, data, origins], rowMode: "array" };
  return { rows: (await owner.query<SqlValue[]>(query)).rows, updated: 0 };
};

it(
  "a thousand random filters find by SQL the events that their predicates find, among ten thousand random events",
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const [events = []] = fc.sample(eventsOf(EVENTS), { numRuns: 1, seed });
    const store = createEventStore({ execute: storeBatch, transaction: (work) => work(storeBatch) });
    for (let first = 0; first < EVENTS; first += CHUNK_EVENTS) {
      const chunk = events.slice(first, first + CHUNK_EVENTS).map((event) => storable(event));
      expect(await store.store(chunk, 0)).toMatchObject({ stored: chunk.length });
    }
    const comparison = await createFilterComparison(owner, reader, TENANT);
    expect(comparison.events).toHaveLength(EVENTS);

    await fc.assert(
      fc.asyncProperty(anyFilter, async (filter) => {
        expect(await comparison.compare(filter), `events of seed ${seed}`).toBeUndefined();
      }),
      { numRuns: FILTERS, seed },
    );

    const { pairs, filters } = comparison;
    console.log(
      `${pairs.compared} pairs, ${pairs.matched} matches; ${filters.telling} of ${filters.compared} filters match some events`,
    );
    expect(pairs.compared).toBe(EVENTS * FILTERS);
    expect(filters.telling / filters.compared).toBeGreaterThan(0.5);
  },
  TEST_TIMEOUT_MS,
);
