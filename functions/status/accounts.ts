import { type Account, accountOf, type TenantLedger, type TenantSubscriptions } from "../core/ledger.ts";
import type { KeptLedger, LedgerTable } from "../core/ledger-table.ts";
import type { NumberRanges } from "../core/number-ranges.ts";
import type { ProducerNote } from "../core/producer-notes.ts";
import { INSTALLATION } from "../core/scopes.ts";

export type TenantAccount = Account & Omit<TenantSubscriptions, "tenant"> & { tenant: string };

/** Reads the accounts as they are now, of one tenant or of all (`*`), and the time of the counts in them. @throws AccessError */
export async function readAccounts(
  table: Pick<LedgerTable, "readNotes" | "readLedgers" | "readTakenAt">,
  tenant: string,
  now: number,
): Promise<{ takenAt: string | undefined; accounts: TenantAccount[] }> {
  const [notes, takenAt] = await Promise.all([table.readNotes(now), table.readTakenAt()]);
  const accounts = accountsOf(notes, await table.readLedgers(tenant));
  return { takenAt, accounts: accounts.filter((account) => tenant === INSTALLATION || account.tenant === tenant) };
}

/** The account of each tenant that is in the notes or has a ledger, whichever of both knows it. */
export function accountsOf(notes: readonly ProducerNote[], kept: readonly KeptLedger[]): TenantAccount[] {
  const sent = sentByTenant(notes);
  const known = new Map(kept.map((each) => [each.ledger.tenant, each]));
  return [...new Set([...known.keys(), ...sent.keys()])].map((tenant) => {
    const { ledger, arrivals, subscriptions } = known.get(tenant) ?? emptyLedger(tenant);
    return { tenant, ...accountOf(ledger, sent.get(tenant) ?? new Map(), arrivals), ...subscriptions };
  });
}

/** The sum of accounts. */
export function sumOf(accounts: readonly TenantAccount[]): Omit<TenantAccount, "tenant"> {
  const { tenant: _none, ...sum } = { ...NOTHING, tenant: "" };
  for (const account of accounts)
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += account[name];
  return sum;
}

/** The ledger of a tenant that the database does not know. */
export function emptyLedger(tenant: string): KeptLedger {
  return { ledger: { tenant, ...NO_COUNTS }, arrivals: new Map(), subscriptions: NO_SUBSCRIPTIONS };
}

/** The numbers that each producer knows to be in the queue, by tenant and producer. */
export function sentByTenant(notes: readonly ProducerNote[]): Map<string, Map<string, NumberRanges>> {
  const sent = new Map<string, Map<string, NumberRanges>>();
  for (const { producer, tenants } of notes)
    for (const [tenant, numbers] of tenants) {
      const ofTenant = sent.get(tenant) ?? new Map<string, NumberRanges>();
      sent.set(tenant, ofTenant.set(producer, numbers));
    }
  return sent;
}

const NO_COUNTS: Omit<TenantLedger, "tenant"> = {
  arrived: 0,
  stored: 0,
  copies: 0,
  conflicts: 0,
  open: 0,
  replayed: 0,
  discarded: 0,
};
const NO_SUBSCRIPTIONS = { active: 0, disabled: 0, pending: 0 };
const { arrived: _arrived, ...noAccount } = NO_COUNTS;
const NOTHING: TenantAccount = {
  tenant: "",
  accepted: 0,
  ...noAccount,
  inFlight: 0,
  difference: 0,
  ...NO_SUBSCRIPTIONS,
};
