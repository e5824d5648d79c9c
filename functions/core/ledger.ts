import { countNumbers, NO_NUMBERS, type NumberRanges, withoutRanges } from "./number-ranges.ts";

/** The ledger: what became of every accepted event, of which each has a number of its producer (docs/decisions/0030). */

/** Counts of a tenant's events by what became of them. All are exact at one time. */
export type LedgerCounts = {
  stored: number;
  copies: number;
  conflicts: number;
  open: number;
  replayed: number;
  discarded: number;
};

/** The ledger of a tenant in the database; `arrived` are its events that ended in one of the counts, each once. */
export type TenantLedger = LedgerCounts & { tenant: string; arrived: number };

/** Subscriptions of a tenant by state, and their deliveries that are not finished. */
export type TenantSubscriptions = { tenant: string; active: number; disabled: number; pending: number };

/** The numbers of a producer's events of one tenant that arrived: their events are stored or recorded. */
export type Arrivals = { producer: string; tenant: string; numbers: NumberRanges };

/** All of it was true in the database at one moment. */
export type LedgerSnapshot = {
  /** RFC 3339, UTC, by the clock of the database. A later snapshot has a later time. */
  takenAt: string;
  tenants: TenantLedger[];
  arrivals: Arrivals[];
  subscriptions: TenantSubscriptions[];
};

export type LedgerReader = {
  /**
   * Takes the ledger of all tenants, with the arrivals of the producers that are asked for: those of the list, and all whose id is not
   * below `since` as bytes, which are those that began since then (producer-id.ts). A producer of the list may be unknown.
   * @throws DatabaseError
   */
  take(asked: { since: string; producers: readonly string[] }, deadline: number): Promise<LedgerSnapshot>;
};

/** The account of a tenant, or a sum of accounts. */
export type Account = LedgerCounts & {
  /** Events that ended, or are known to be in the queue. */
  accepted: number;
  /** Of these the ones that the snapshot has not seen end. */
  inFlight: number;
  /** `accepted` without what the counts say. It is `inFlight`, and 0 at rest; any other value is a fault of ours. */
  difference: number;
};

/**
 * Makes the account of a tenant.
 * @param ledger of the last snapshot
 * @param sent the numbers that each producer knows to be in the queue, now
 * @param arrived the same producers' arrivals in that snapshot
 */
export function accountOf(
  { tenant: _tenant, arrived: ended, ...counts }: TenantLedger,
  sent: ReadonlyMap<string, NumberRanges>,
  arrived: ReadonlyMap<string, NumberRanges>,
): Account {
  let inFlight = 0;
  for (const [producer, numbers] of sent)
    inFlight += countNumbers(withoutRanges(numbers, arrived.get(producer) ?? NO_NUMBERS));
  const accepted = ended + inFlight;
  const counted = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { ...counts, accepted, inFlight, difference: accepted - counted };
}
