import { describe, expect, it } from "vitest";
import {
  COMPACT_MAX_PARTS,
  ROLLUP_DIFFERENCES_MAX_NAMED,
  ROLLUP_UPKEEP_SECONDS,
} from "../../../functions/core/database-limits.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { SqlValue } from "../../../functions/core/ports.ts";
import { createKeepRollups } from "../../../functions/migrate/keep-rollups.ts";

const START = Date.parse("2026-11-21T03:00:00.000Z");

/** A database that answers merging and checking, each of which takes some seconds. */
function keeping({ merged = [0], differences = 0, seconds = 0, failAt = Number.POSITIVE_INFINITY } = {}) {
  let now = START;
  const calls: Record<string, string | null>[] = [];
  const counted: number[] = [];
  const keepRollups = createKeepRollups({
    database: {
      execute: async (sql, parameters) => {
        calls.push(parameters);
        now += 1_000 * seconds;
        if (calls.length > failAt)
          throw new DatabaseError({ disposition: "retry", reason: "statement_timeout", detail: "" });
        const rows: SqlValue[][] = sql.includes("compact_rollups")
          ? [[merged.shift() ?? 0]]
          : Array.from({ length: differences }, () => ["t", "a", "/v"]);
        return { rows, updated: 0 };
      },
    },
    clock: () => new Date(now),
    metrics: { addMetric: (_name, _unit, value) => void counted.push(value) },
  });
  return { calls, counted, run: (until = START + 280_000) => keepRollups(until) };
}

describe("keeping rollups", () => {
  it("keeping rollups merges until there is nothing more, and checks the 24 hours of yesterday", async () => {
    const { calls, counted, run } = keeping({ merged: [COMPACT_MAX_PARTS, COMPACT_MAX_PARTS, 7] });

    expect(await run()).toEqual({ deltasMerged: 2 * COMPACT_MAX_PARTS + 7, rollupHoursChecked: 24 });
    expect(calls.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => ({ settled: "2026-11-21T02:00:00.000Z" })));
    expect(calls[3]).toEqual({ silent_since: "2026-10-31T03:00:00.000Z" });
    expect(calls[4]).toEqual({ from: "2026-11-20T00:00:00.000Z", to: "2026-11-20T01:00:00.000Z" });
    expect(calls.at(-1)).toEqual({ from: "2026-11-20T23:00:00.000Z", to: "2026-11-21T00:00:00.000Z" });
    expect(counted).toEqual([0]);
  });

  it("keeping rollups asks once for deltas where there are none", async () => {
    const { calls, run } = keeping();

    await run();

    expect(calls.filter((parameters) => "settled" in parameters)).toHaveLength(1);
  });

  it("keeping rollups counts every difference and names the first", async () => {
    const { counted, run } = keeping({ differences: 2 });

    expect((await run()).rollupDifferences).toHaveLength(ROLLUP_DIFFERENCES_MAX_NAMED);
    expect(counted).toEqual([48]);
  });

  it("keeping rollups ends when its own time is over, so that a deployment goes on", async () => {
    const { run } = keeping({ seconds: 10 });

    expect(await run()).toEqual({ deltasMerged: 0, rollupHoursChecked: ROLLUP_UPKEEP_SECONDS / 10 - 2 });
  });

  it("keeping rollups ends at a failure of the database, names it, and keeps what it has found", async () => {
    const { counted, run } = keeping({ differences: 1, failAt: 3 });

    expect(await run()).toMatchObject({ rollupHoursChecked: 1, rollupFault: "statement_timeout" });
    expect(counted).toEqual([1]);
  });
});
