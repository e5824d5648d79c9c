import type { ConsumerStateReader } from "../core/feed.ts";
import { forEachConcurrently } from "../core/for-each-concurrently.ts";
import { type HistoryCounts, type HistorySample, type HistoryTable, minuteOf } from "../core/history.ts";
import type { KeptLedger } from "../core/ledger-table.ts";
import { INSTALLATION } from "../core/scopes.ts";
import { sumOf, type TenantAccount } from "./accounts.ts";

export type KeepHistoryDeps = {
  history: Pick<HistoryTable, "writeSample">;
  consumer: ConsumerStateReader;
};

/** Keeps the counts of all tenants that may have changed, and their sum, for the minute that has ended. @throws AccessError */
export function createKeepHistory({ history, consumer }: KeepHistoryDeps) {
  return async function keepHistory(
    accounts: readonly TenantAccount[],
    kept: readonly KeptLedger[],
    takenAt: number,
  ): Promise<void> {
    const at = minuteOf(takenAt - BEHIND_MINUTE_MS);
    const lagMs = await lagIn(consumer, at);
    const known = new Map(
      kept.map(({ ledger: { tenant, arrived, stored, open } }) => [tenant, { accepted: arrived, stored, open }]),
    );
    const write = (tenant: string, { accepted, stored, open }: HistoryCounts, before: HistoryCounts) => {
      const sample: HistorySample = { at, accepted, stored, open, lagMs };
      return history.writeSample(tenant, sample, before, takenAt);
    };
    const ofTenants = accounts.filter(({ tenant }) => tenant !== INSTALLATION);
    await forEachConcurrently(ofTenants, WRITES_IN_FLIGHT, async (account) => {
      const before = known.get(account.tenant) ?? NOTHING;
      const isSame = NAMES.every((name) => account[name] === before[name]);
      if (!isSame) await write(account.tenant, account, before);
    });
    const sum = { ...NOTHING };
    for (const each of known.values()) for (const name of NAMES) sum[name] += each[name];
    await write(INSTALLATION, sumOf(accounts), sum);
  };
}

/** Counts are taken some seconds behind the end of a minute, and are those of its end. */
const BEHIND_MINUTE_MS = 30_000;

/** As for the ledgers themselves. */
const WRITES_IN_FLIGHT = 16;

const NAMES = ["accepted", "stored", "open"] as const;

const NOTHING: HistoryCounts = { accepted: 0, stored: 0, open: 0 };

/** The lag of the last batch, where its end is not before the minute. Without an answer the history has none. */
async function lagIn(consumer: ConsumerStateReader, at: number): Promise<number | undefined> {
  try {
    const { lag } = await consumer.read();
    return lag !== undefined && lag.at >= at ? lag.lagMs : undefined;
  } catch {
    return undefined;
  }
}
