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
