import { type BillPart, part } from "./bill-part.ts";
import { MONTH_SECONDS } from "./prices.ts";

/** The time between two snapshots of the ledger while events come. */
export const SNAPSHOT_SECONDS = 60;

/**
 * The items that a snapshot writes for so many tenants with new events: of each and of all together the ledger and the history. A unit
 * test counts them. Each is one unit: of at most 1 KB where up to ten processes of ingest run.
 */
export const snapshotWrites = (tenants: number): number => 2 * (tenants + 1);

/** A tenant in the answer of `take_ledger`: its counts, its numbers that arrived, and its subscriptions. */
const TENANT_BYTES = 300;
const DATA_API_UNIT_BYTES = 32 * 1024;

/** The units of the Data API by which the database answers a snapshot. */
export const snapshotUnits = (tenants: number): number => Math.ceil((tenants * TENANT_BYTES) / DATA_API_UNIT_BYTES);

/** The bill of a month with new events of so many tenants in each minute. */
export function snapshotsPerMonth(tenants: number): BillPart[] {
  const snapshots = MONTH_SECONDS / SNAPSHOT_SECONDS;
  return [
    part("DynamoDB writes", snapshots * snapshotWrites(tenants), "dynamodbWrite"),
    part("Data API units", snapshots * snapshotUnits(tenants), "dataApiUnit"),
  ];
}
