import { afterAll, beforeAll, expect, it } from "vitest";
import { DAYS, dayOf, loadRows } from "../../bench/query/load-rows.ts";
import { type BenchDatabase, startBenchDatabase } from "../../bench/store/bench-database.ts";

let bench: BenchDatabase;
beforeAll(async () => {
  bench = await startBenchDatabase();
});
afterAll(() => bench?.remove());

it("the rows of the benchmark of queries are as the consumer stores them, with keys, transactions and rollups", async () => {
  const perDay = await loadRows([bench.client], ["a", "b"], 40 * 2 * DAYS);

  expect(perDay).toBe(40);
  const { rows } = await bench.client.query(`
    select
      (select count(*)::integer from events where tenant = 'b') as events,
      (select count(*)::integer from event_keys) as keys,
      (select sum(events)::integer from event_transactions) as noted,
      (select sum(events)::integer from rollups where pointer = '' and span = 'day') as counted,
      (select count(distinct received_at::date)::integer from events) as days,
      (select avg(pg_column_size(events.*))::integer from events) as bytes`);
  expect(rows).toEqual([
    { events: 3_600, keys: 7_200, noted: 7_200, counted: 7_200, days: DAYS, bytes: expect.any(Number) },
  ]);
  expect(rows[0].bytes).toBeGreaterThan(280);
  expect(rows[0].bytes).toBeLessThan(380);
  const differing = await bench.client.query("select * from check_rollups($1, $2)", [dayOf(7), dayOf(8)]);
  expect(differing.rows).toEqual([]);
});

it("thin rows of the benchmark of queries come evenly over the whole day", async () => {
  expect(await loadRows([bench.client], ["thin"], 24 * DAYS, "thin")).toBe(24);

  const { rows } = await bench.client.query(`
    select cast(received_at at time zone 'UTC' as date) as day, count(distinct date_trunc('hour', received_at))::integer as hours
    from events where tenant = 'thin' group by 1`);
  expect(rows).toHaveLength(DAYS);
  expect(new Set(rows.map(({ hours }) => hours))).toEqual(new Set([24]));
});
