import type { TestDatabase } from "./database.ts";
import { eventually } from "./eventually.ts";

/**
 * Waits until the horizon is above everything that is stored. Transactions of all databases of a server hold it, so those of
 * other test files as well.
 */
export async function settle(db: Pick<TestDatabase, "ask">): Promise<void> {
  await eventually(
    () =>
      db.ask<{ settled: boolean }>(
        "select event_horizon() > coalesce(max(transaction_number), 0) as settled from event_transactions",
      ),
    ([row]) => row?.settled === true,
  );
}

/** Waits until every transaction has ended that has begun by now, in all databases of the server. */
export async function passHorizon(db: Pick<TestDatabase, "ask">): Promise<void> {
  const [row] = await db.ask<{ now: string }>("select cast(pg_current_xact_id() as text) as now");
  await eventually(
    () =>
      db.ask<{ settled: boolean }>("select pg_snapshot_xmin(pg_current_snapshot()) > cast($1 as xid8) as settled", [
        row?.now,
      ]),
    ([answer]) => answer?.settled === true,
  );
}
