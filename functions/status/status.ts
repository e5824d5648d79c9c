import type { ConsumerState, ConsumerStateReader } from "../core/feed.ts";
import type { Account } from "../core/ledger.ts";
import type { LedgerTable } from "../core/ledger-table.ts";
import type { Clock } from "../core/ports.ts";
import type { QueueDepth, QueueDepths, QueueName } from "../core/queue-depths.ts";
import { INSTALLATION } from "../core/scopes.ts";
import type { StatusAnswer } from "../core/status-answers.ts";
import { readAccounts, sumOf, type TenantAccount } from "./accounts.ts";

export type StatusDeps = {
  table: Pick<LedgerTable, "readNotes" | "readLedgers" | "readTakenAt">;
  queues: QueueDepths;
  consumer: ConsumerStateReader;
  clock: Clock;
};

/** A part, or why it cannot be read; the others are there all the same. */
export type Part<T> = T | { unavailable: string };

/** The state of an installation, for one tenant or all. */
export type State = {
  at: number;
  tenant: string;
  ledger: Part<{ takenAt: string | undefined; accounts: TenantAccount[] }>;
  queues: Part<Record<QueueName, QueueDepth>>;
  consumer: Part<ConsumerState>;
};

/** Tells the state of the installation, of one tenant or of all (`*`). It never asks the database. */
export function createStatus({ table, queues, consumer, clock }: StatusDeps) {
  return {
    async read(tenant: string, deadline: number): Promise<State> {
      const [ledger, depths, state] = await Promise.all([
        orUnavailable("DynamoDB did not answer for the ledger.", readAccounts(table, tenant, clock().getTime())),
        orUnavailable("SQS did not answer.", queues.read(deadline)),
        orUnavailable("DynamoDB did not answer for the consumer.", consumer.read()),
      ]);
      return { at: clock().getTime(), tenant, ledger, queues: depths, consumer: state };
    },
  };
}

async function orUnavailable<T>(fault: string, reading: Promise<T>): Promise<Part<T>> {
  try {
    return await reading;
  } catch {
    return { unavailable: fault };
  }
}

/** The time after which the database may pause (`SecondsUntilAutoPause`). */
const DATABASE_ACTIVE_MS = 300_000;

/** Tenants of an answer. */
const ANSWER_MAX_TENANTS = 100;

export type Installation = { stage: string; version: string; build: string };

/** Writes the answer to `GET /status`. */
export function toStatusAnswer(
  { at, tenant, ledger, queues, consumer }: State,
  installation: Installation,
): StatusAnswer {
  const now = new Date(at).toISOString();
  return {
    at: now,
    ...installation,
    tenant,
    ledger: "unavailable" in ledger ? ledger : { takenAt: ledger.takenAt, ...ledgerOf(ledger.accounts, tenant) },
    queues: "unavailable" in queues ? queues : { at: now, ...queues },
    consumer: "unavailable" in consumer ? consumer : consumerOf(consumer),
    subscriptions: "unavailable" in ledger ? ledger : { takenAt: ledger.takenAt, ...subscriptionsOf(ledger.accounts) },
    database: databaseOf({ at, ledger, consumer }),
  };
}

function ledgerOf(accounts: TenantAccount[], tenant: string) {
  const sum = toAccount(sumOf(accounts));
  if (tenant !== INSTALLATION) return sum;
  const tenants = accounts
    .filter((each) => each.tenant !== INSTALLATION)
    .toSorted(
      (a, b) =>
        faultOf(b) - faultOf(a) || b.inFlight - a.inFlight || b.accepted - a.accepted || (a.tenant < b.tenant ? -1 : 1),
    );
  const shown = tenants.slice(0, ANSWER_MAX_TENANTS);
  return {
    ...sum,
    tenants: shown.map((each) => ({ tenant: each.tenant, ...toAccount(each) })),
    moreTenants: tenants.length - shown.length,
  };
}

/** Events by which the counts are wrong, without those in flight. */
const faultOf = ({ difference, inFlight }: Account) => Math.abs(difference - inFlight);

function toAccount(account: Account): Account {
  const { accepted, stored, copies, conflicts, open, replayed, discarded, inFlight, difference } = account;
  return { accepted, stored, copies, conflicts, open, replayed, discarded, inFlight, difference };
}

function subscriptionsOf(accounts: TenantAccount[]) {
  const { active, disabled, pending } = sumOf(accounts);
  return { active, disabled, pending };
}

function consumerOf({ lag, storedAt }: ConsumerState) {
  return {
    lagMs: lag?.lagMs,
    lagAt: lag && new Date(lag.at).toISOString(),
    lastStoredAt: timeOf(storedAt),
  };
}

function databaseOf({ at, ledger, consumer }: Pick<State, "at" | "ledger" | "consumer">): StatusAnswer["database"] {
  if ("unavailable" in ledger) return ledger;
  if ("unavailable" in consumer) return consumer;
  const times = [ledger.takenAt === undefined ? undefined : Date.parse(ledger.takenAt), consumer.storedAt];
  const usedAt = Math.max(...times.map((time) => time ?? Number.NEGATIVE_INFINITY));
  const isActive = at - usedAt <= DATABASE_ACTIVE_MS;
  return { state: isActive ? "active" : "idle", usedAt: timeOf(Number.isFinite(usedAt) ? usedAt : undefined) };
}

const timeOf = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
