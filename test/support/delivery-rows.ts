import type { TestDatabase } from "./database.ts";

/** Deletes all subscriptions with what belongs to them, and all events. */
export async function emptyDeliveries(db: Pick<TestDatabase, "empty" | "ask">): Promise<void> {
  await db.empty(
    "subscriptions",
    "subscription_notices",
    "deliveries",
    "delivery_attempts",
    "events",
    "event_keys",
    "event_transactions",
    "event_ends",
  );
  await db.ask("update planned_wake set at = '-infinity'");
}

/** Lets time pass for subscriptions and deliveries: their times move back. */
export async function passTime(db: Pick<TestDatabase, "ask">, seconds: number): Promise<void> {
  const columns: Record<string, string[]> = {
    subscriptions: [
      "tokens_at",
      "claimed_at",
      "open_until",
      "window_began",
      "failing_since",
      "disabled_at",
      "created_at",
    ],
    subscription_secrets: ["created_at", "ends_at"],
    deliveries: ["due_at", "schedule_from", "last_at", "finished_at"],
    delivery_attempts: ["at"],
    redeliveries: ["created_at", "progress_at"],
    planned_wake: ["at"],
  };
  for (const [table, names] of Object.entries(columns)) {
    const changes = names.map((name) => `${name} = ${name} - $1 * interval '1 second'`);
    await db.ask(`update ${table} set ${changes.join(", ")}`, [seconds]);
  }
}
