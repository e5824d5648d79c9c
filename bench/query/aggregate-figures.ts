import { createAggregateReader } from "../../functions/adapters/data-api/aggregate-reader.ts";
import type { Aggregate, AggregateScan } from "../../functions/core/aggregate-reader.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import type { Contender } from "../rounds.ts";
import { DAYS, dayOf, TYPES } from "./load-rows.ts";

/**
 * Counts and a percentile of one type by source and day, of all days of a tenant: the same request to rollups and to rows. An
 * answer that ends before the last day is followed by one from there on, as a client does. Both must count each day right.
 * @param perDay rows of the tenant a day, a quarter of them of the type
 */
export function aggregateContenders(reader: SqlDatabase, tenant: string, perDay: number): Contender[] {
  const aggregates = createAggregateReader(reader);
  const all: AggregateScan = {
    tenant,
    allowed: { types: undefined, sources: undefined },
    // Only this type declares the value as a measure.
    filter: { exact: { type: TYPES[3] } },
    from: dayOf(0),
    to: dayOf(DAYS),
    every: "P1D",
    timeZone: "UTC",
    fields: ["source"],
    measures: ["count", { function: "p95", path: ["value"] }],
  };
  const round = (read: (scan: AggregateScan, deadline: number) => Promise<Aggregate | undefined>) => async () => {
    const started = performance.now();
    const events = new Map<string, number>();
    for (let scan = all; scan.from < all.to; ) {
      const found = await read(scan, Date.now() + 60_000);
      if (found === undefined) throw new Error("Rollups do not cover the range.");
      for (const { bucket, measured } of found.rows)
        events.set(bucket, (events.get(bucket) ?? 0) + Number(measured[0]));
      scan = { ...scan, from: new Date(found.reached).toISOString() };
    }
    const took = performance.now() - started;
    const wanted = perDay / TYPES.length;
    // A day of a tenant may have an event of the type more or less.
    const wrong = [...events].find(([, count]) => Math.abs(count - wanted) >= 1);
    if (events.size !== DAYS || wrong !== undefined)
      throw new Error(
        `${events.size} days were counted, not ${DAYS}, or one wrongly: ${String(wrong)}, not ${wanted}.`,
      );
    return took;
  };
  return [
    { name: "from rollups", round: round((...given) => aggregates.fromRollups(...given)) },
    { name: "from rows", round: round((...given) => aggregates.fromEvents(...given)) },
  ];
}
