import { describe, expect, it } from "vitest";
import { DELIVERIES_DELETED_AT_ONCE, DELIVERY_UPKEEP_SECONDS } from "../../../functions/core/database-limits.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import { createKeepDeliveries } from "../../../functions/migrate/keep-deliveries.ts";

const NOW = "2026-11-29T10:00:00.000Z";

/** Answers the calls of each function with its numbers, and then with 0. */
function underTest(answers: Record<string, (number | Error)[]>, msOfCall = 0) {
  let time = Date.parse(NOW);
  const calls: [name: string, parameters: object][] = [];
  const keep = createKeepDeliveries({
    database: {
      execute: async (sql, parameters) => {
        const name = /select (\w+)\(/.exec(sql)?.[1] ?? "";
        calls.push([name, parameters]);
        time += msOfCall;
        const answer = answers[name]?.shift() ?? 0;
        if (answer instanceof Error) throw answer;
        return { rows: [[answer]], updated: 0 };
      },
    },
    clock: () => new Date(time),
  });
  return { calls, keep: () => keep(Date.parse(NOW) + 600_000) };
}

describe("the upkeep of deliveries", () => {
  it("partitions are made ahead, old deliveries and partitions deleted, each until there are no more", async () => {
    const most = DELIVERIES_DELETED_AT_ONCE;
    const { keep, calls } = underTest({
      ensure_attempt_partitions: [16],
      prune_deliveries: [most, 7],
      delete_orphaned_deliveries: [most, most, 1],
      drop_attempt_partition: [1, 1],
    });

    expect(await keep()).toEqual({
      attemptPartitionsMade: 16,
      attemptPartitionsDropped: 2,
      deliveriesDeleted: 3 * most + 8,
    });
    expect(calls).toEqual([
      ["ensure_attempt_partitions", { first: "2026-11-28", last: "2026-12-13" }],
      ...[1, 2].map(() => ["prune_deliveries", { before: "2026-10-30T10:00:00.000Z" }]),
      ...[1, 2, 3].map(() => ["delete_orphaned_deliveries", {}]),
      ...[1, 2, 3].map(() => ["drop_attempt_partition", { day: "2026-10-30" }]),
    ]);
  });

  it("a statement that fails ends it with its reason, and the deployment goes on", async () => {
    const locked = new DatabaseError({ disposition: "retry", reason: "object_not_available", detail: "" });

    expect(await underTest({ prune_deliveries: [3], drop_attempt_partition: [1, locked] }).keep()).toEqual({
      attemptPartitionsMade: 0,
      attemptPartitionsDropped: 1,
      deliveriesDeleted: 3,
      deliveriesFault: "object_not_available",
    });
  });

  it("the upkeep ends when its time is over, however much there is", async () => {
    const endless = Array(100).fill(DELIVERIES_DELETED_AT_ONCE) as number[];
    const { keep, calls } = underTest({ prune_deliveries: endless }, 10_000);

    await keep();

    expect(calls).toHaveLength(DELIVERY_UPKEEP_SECONDS / 10);
  });
});
