import { DELIVERIES_DELETED_AT_ONCE, DELIVERY_UPKEEP_SECONDS, PARTITION_DAYS_AHEAD } from "../core/database-limits.ts";
import { DatabaseError } from "../core/errors.ts";
import type { TaskFields } from "../core/log-lines.ts";
import type { Clock, SqlDatabase } from "../core/ports.ts";
import { ATTEMPTS_KEPT_DAYS } from "../core/subscription-limits.ts";

const DAY_MS = 86_400_000;

export type DeliveryFields = Pick<
  TaskFields,
  "attemptPartitionsMade" | "attemptPartitionsDropped" | "deliveriesDeleted" | "deliveriesFault"
>;

/**
 * Makes the partitions of attempts of the next days, deletes deliveries that were delivered or skipped more than ATTEMPTS_KEPT_DAYS ago and those of
 * removed subscriptions, and drops partitions as old. It ends when its time is over, or a statement fails: neither may stop a
 * deployment, and the next day it goes on. The drop comes last, because it fails where others use the table.
 */
export function createKeepDeliveries({ database, clock }: { database: Pick<SqlDatabase, "execute">; clock: Clock }) {
  return async function keepDeliveries(until: number): Promise<DeliveryFields> {
    const now = clock().getTime();
    const deadline = Math.min(until, now + DELIVERY_UPKEEP_SECONDS * 1_000);
    const day = (offset: number) => new Date(now + offset * DAY_MS).toISOString().slice(0, 10);
    const before = new Date(now - ATTEMPTS_KEPT_DAYS * DAY_MS).toISOString();
    const fields = { attemptPartitionsMade: 0, attemptPartitionsDropped: 0, deliveriesDeleted: 0 };

    async function call(sql: string, parameters: Record<string, string>): Promise<number> {
      const { rows } = await database.execute(sql, parameters, deadline);
      return Number(rows[0]?.[0]);
    }
    /** Calls again while there may be more. */
    async function callAll(field: keyof typeof fields, most: number, sql: string, parameters: Record<string, string>) {
      for (let done = most; done === most && clock().getTime() < deadline; fields[field] += done) {
        done = await call(sql, parameters);
      }
    }

    try {
      fields.attemptPartitionsMade = await call(ensure, { first: day(-1), last: day(PARTITION_DAYS_AHEAD) });
      await callAll("deliveriesDeleted", DELIVERIES_DELETED_AT_ONCE, prune, { before });
      await callAll("deliveriesDeleted", DELIVERIES_DELETED_AT_ONCE, deleteOrphans, {});
      await callAll("attemptPartitionsDropped", 1, drop, { day: day(-ATTEMPTS_KEPT_DAYS) });
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      return { ...fields, deliveriesFault: error.reason };
    }
    return fields;
  };
}

/** All are documented in functions/sql/0009_subscriptions.sql. */
const ensure = "select ensure_attempt_partitions(cast(:first as date), cast(:last as date))";
const prune = `select prune_deliveries(cast(:before as timestamptz), ${DELIVERIES_DELETED_AT_ONCE})`;
const deleteOrphans = `select delete_orphaned_deliveries(${DELIVERIES_DELETED_AT_ONCE})`;
const drop = "select drop_attempt_partition(cast(:day as date))";
