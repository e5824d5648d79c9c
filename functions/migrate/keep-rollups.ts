import {
  COMPACT_MAX_PARTS,
  PRODUCER_SILENT_DAYS,
  ROLLUP_DIFFERENCES_MAX_NAMED,
  ROLLUP_SETTLED_HOURS,
  ROLLUP_UPKEEP_SECONDS,
} from "../core/database-limits.ts";
import { DatabaseError } from "../core/errors.ts";
import type { TaskFields } from "../core/log-lines.ts";
import type { Clock, SqlDatabase } from "../core/ports.ts";

export type KeepRollupsDeps = {
  database: Pick<SqlDatabase, "execute">;
  clock: Clock;
  metrics: { addMetric(name: "RollupsDiffering", unit: "Count", value: number): void };
};

export type RollupFields = Pick<
  TaskFields,
  "deltasMerged" | "rollupHoursChecked" | "rollupDifferences" | "rollupFault"
>;

const HOUR_MS = 3_600_000;

/**
 * Merges the deltas of settled minutes and of the ledger, and compares the rollups of yesterday with the events, hour by hour. It ends when its
 * time is over, or a statement fails: neither may stop a deployment, and the next day it goes on. A difference is counted
 * by a metric, which has an alarm.
 */
export function createKeepRollups({ database, clock, metrics }: KeepRollupsDeps) {
  return async function keepRollups(until: number): Promise<RollupFields> {
    const now = clock().getTime();
    const deadline = Math.min(until, now + ROLLUP_UPKEEP_SECONDS * 1_000);
    const fields = {
      deltasMerged: 0,
      rollupHoursChecked: 0,
      rollupDifferences: [] as NonNullable<RollupFields["rollupDifferences"]>,
    };
    try {
      const settled = new Date(now - ROLLUP_SETTLED_HOURS * HOUR_MS).toISOString();
      for (let merged = COMPACT_MAX_PARTS; merged >= COMPACT_MAX_PARTS && clock().getTime() < deadline; ) {
        const { rows } = await database.execute(compact, { settled }, deadline);
        merged = Number(rows[0]?.[0]);
        fields.deltasMerged += merged;
      }
      const silentSince = new Date(now - PRODUCER_SILENT_DAYS * 24 * HOUR_MS).toISOString();
      await database.execute(mergeArrivals, { silent_since: silentSince }, deadline);
      const today = Math.floor(now / (24 * HOUR_MS)) * 24 * HOUR_MS;
      for (let hour = today - 24 * HOUR_MS; hour < today && clock().getTime() < deadline; hour += HOUR_MS) {
        const range = { from: new Date(hour).toISOString(), to: new Date(hour + HOUR_MS).toISOString() };
        const { rows } = await database.execute(check, range, deadline);
        fields.rollupHoursChecked += 1;
        for (const [tenant, type, pointer] of rows) {
          fields.rollupDifferences.push({
            ...range,
            tenant: String(tenant),
            type: String(type),
            field: String(pointer),
          });
        }
      }
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      return report({ ...fields, rollupFault: error.reason });
    }
    return report(fields);
  };

  function report({ rollupDifferences = [], ...fields }: RollupFields): RollupFields {
    metrics.addMetric("RollupsDiffering", "Count", rollupDifferences.length);
    return {
      ...fields,
      ...(rollupDifferences.length > 0 && {
        rollupDifferences: rollupDifferences.slice(0, ROLLUP_DIFFERENCES_MAX_NAMED),
      }),
    };
  }
}

/** Both are documented in functions/sql/0010_ledger.sql. */
const mergeArrivals = "select merge_arrivals(), forget_producers(cast(:silent_since as timestamptz))";
/** Both are documented in functions/sql/0005_rollups.sql. */
const compact = `select compact_rollups(cast(:settled as timestamptz), ${COMPACT_MAX_PARTS})`;
const check =
  "select tenant, type, pointer from check_rollups(cast(:from as timestamptz), cast(:to as timestamptz)) limit 1000";
