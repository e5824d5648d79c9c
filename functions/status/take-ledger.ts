import { DatabaseError } from "../core/errors.ts";
import { forEachConcurrently } from "../core/for-each-concurrently.ts";
import { accountOf, type LedgerReader, type LedgerSnapshot, type TenantLedger } from "../core/ledger.ts";
import type { KeptLedger, LedgerTable } from "../core/ledger-table.ts";
import { countNumbers, NO_NUMBERS, type NumberRanges, withoutRanges } from "../core/number-ranges.ts";
import type { Clock } from "../core/ports.ts";
import { firstProducerId } from "../core/producer-id.ts";
import { PRODUCER_LIFE_MS, PRODUCER_NOTE_GRACE_MS, type ProducerNote } from "../core/producer-notes.ts";
import type { QueueDepths } from "../core/queue-depths.ts";
import { INSTALLATION } from "../core/scopes.ts";
import type { StatusMessages } from "../core/status-message.ts";
import { accountsOf, emptyLedger, sentByTenant } from "./accounts.ts";
import type { createKeepHistory } from "./keep-history.ts";

export type TakeLedgerDeps = {
  ledger: LedgerReader;
  table: LedgerTable;
  queues: QueueDepths;
  messages: StatusMessages;
  keepHistory: ReturnType<typeof createKeepHistory>;
  clock: Clock;
};

export type TakeOutcome =
  /** A snapshot that was taken after the wanted time is there, and the database was not asked. */
  | { kind: "fresh" }
  /** `difference`: accepted events of which nobody knows what became of them. */
  | { kind: "taken"; tenants: number; written: number; inFlight: number; difference: number }
  /** The database did not answer, or others took snapshots all the time; a new message asks again. */
  | { kind: "postponed"; reason: string }
  /** The same, and the queue did not confirm the new message. */
  | { kind: "failed"; reason: string };

/**
 * Takes a snapshot of the ledger from the database, unless one was taken after `due`, and keeps it where it is read without
 * the database. The notes are read before the database is asked: so a number that is noted and did not arrive was in a queue then.
 * @throws AccessError where the table does not answer; the message then comes again
 */
export function createTakeLedger({ ledger, table, queues, messages, keepHistory, clock }: TakeLedgerDeps) {
  return async function takeLedger(due: number, until: number): Promise<TakeOutcome> {
    let before = await table.readTakenAt();
    if (before !== undefined && Date.parse(before) >= due) return { kind: "fresh" };
    for (let tries = 0; tries < TRIES; tries += 1) {
      const outcome = await takeOnce(before, due, until);
      if (outcome !== "overtaken") return outcome;
      before = await table.readTakenAt();
    }
    return { kind: (await ask(clock().getTime(), OVERTAKEN_MS, until)) ? "postponed" : "failed", reason: "overtaken" };
  };

  function ask(due: number, delayMs: number, until: number): Promise<boolean> {
    return messages.send({ kind: "ledger", due }, Math.ceil(delayMs / 1_000), until - WRITE_RESERVE_MS);
  }

  /** Takes a snapshot, which is overtaken where another one became whole meanwhile. */
  async function takeOnce(before: string | undefined, due: number, until: number): Promise<TakeOutcome | "overtaken"> {
    const now = clock().getTime();
    const since = firstProducerId(now - FINAL_AFTER_MS);
    const notes = await table.readNotes(now);
    const kept = await table.readLedgers(INSTALLATION);
    const isAtRest = await areEmpty(queues, now + DEPTHS_MS);
    const producers = notes.map(({ producer }) => producer).filter((producer) => producer < since);
    let snapshot: LedgerSnapshot;
    try {
      snapshot = await ledger.take({ since, producers }, until - WRITE_RESERVE_MS);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      // Events are accepted all the same.
      await keepHistory(accountsOf(notes, kept), kept, now);
      return { kind: (await ask(due, RETRY_MS, until)) ? "postponed" : "failed", reason: error.reason };
    }
    const taken = toKept(snapshot);
    for (const { ledger: each } of kept) if (!taken.has(each.tenant)) taken.set(each.tenant, emptyLedger(each.tenant));
    // Before the ledgers, by which the snapshot is there: what fails here comes again.
    await keepHistory(accountsOf(notes, [...taken.values()]), kept, Date.parse(snapshot.takenAt));
    const written = await writeChanges(table, kept, taken, snapshot.takenAt);
    const ofNone = taken.get(INSTALLATION) ?? emptyLedger(INSTALLATION);
    if (!(await table.writeLast(ofNone, snapshot.takenAt, before))) return "overtaken";
    const isLate = ({ producer, at }: ProducerNote) => producer < since || (isAtRest && at <= now - SETTLED_MS);
    const account = judge(notes, taken, isLate);
    await forEachConcurrently(
      notes.filter((note) => note.producer < since && hasArrived(note, taken)),
      CALLS_IN_FLIGHT,
      (note) => table.deleteNote(note),
    );
    // Behind the last batch nobody else asks again.
    if (isAtRest && account.inFlight > account.late) await ask(now + LOOK_AGAIN_MS, LOOK_AGAIN_MS, until);
    const difference = account.faults + account.late;
    return { kind: "taken", tenants: taken.size - 1, written, inFlight: account.inFlight, difference };
  }
}

/** The ledgers of a snapshot by tenant; that of `*` has what the tenants do not have of the sum. */
function toKept({ tenants, arrivals, subscriptions }: LedgerSnapshot): Map<string, KeptLedger> {
  const kept = new Map<
    string,
    { ledger: TenantLedger; arrivals: Map<string, NumberRanges>; subscriptions: KeptLedger["subscriptions"] }
  >();
  const of = (tenant: string) => {
    const known = kept.get(tenant) ?? { ...emptyLedger(tenant), arrivals: new Map<string, NumberRanges>() };
    kept.set(tenant, known);
    return known;
  };
  for (const ledger of tenants) of(ledger.tenant).ledger = ledger;
  for (const { tenant, producer, numbers } of arrivals) of(tenant).arrivals.set(producer, numbers);
  for (const { tenant, ...counts } of subscriptions) of(tenant).subscriptions = counts;
  const rest = { ...of(INSTALLATION).ledger };
  for (const { ledger } of kept.values())
    if (ledger.tenant !== INSTALLATION) for (const name of COUNTS) rest[name] -= ledger[name];
  of(INSTALLATION).ledger = rest;
  return kept;
}

const COUNTS = ["arrived", "stored", "copies", "conflicts", "open", "replayed", "discarded"] as const;

/** Writes the ledgers of tenants that have changed. A tenant that the database no longer knows has an empty one. */
async function writeChanges(
  table: LedgerTable,
  before: readonly KeptLedger[],
  taken: Map<string, KeptLedger>,
  takenAt: string,
): Promise<number> {
  const kept = new Map(before.map((each) => [each.ledger.tenant, each]));
  const changed = [...taken.values()].filter(
    ({ ledger, subscriptions }) =>
      ledger.tenant !== INSTALLATION && !isSame({ ledger, subscriptions }, kept.get(ledger.tenant)),
  );
  await forEachConcurrently(changed, CALLS_IN_FLIGHT, (each) => table.writeLedger(each, takenAt));
  return changed.length;
}

/** The arrivals are not compared: if as many numbers arrived as before, they are the same ones. */
function isSame(now: Pick<KeptLedger, "ledger" | "subscriptions">, kept: KeptLedger | undefined): boolean {
  if (kept === undefined) return false;
  const { active, disabled, pending } = now.subscriptions;
  return (
    COUNTS.every((name) => now.ledger[name] === kept.ledger[name]) &&
    active === kept.subscriptions.active &&
    disabled === kept.subscriptions.disabled &&
    pending === kept.subscriptions.pending
  );
}

/**
 * Adds up all tenants: events in flight, those of them that are late, and events by which the counts are not what arrived.
 */
function judge(
  notes: readonly ProducerNote[],
  taken: Map<string, KeptLedger>,
  isLate: (note: ProducerNote) => boolean,
) {
  const sum = { inFlight: 0, late: 0, faults: 0 };
  const all = sentByTenant(notes);
  for (const [tenant, { ledger, arrivals }] of taken) {
    const { inFlight, difference } = accountOf(ledger, all.get(tenant) ?? new Map(), arrivals);
    sum.faults += Math.abs(difference - inFlight);
  }
  for (const note of notes) {
    const open = openIn(note, taken);
    sum.inFlight += open;
    if (isLate(note)) sum.late += open;
  }
  return sum;
}

/** The number of events of a note that did not arrive. */
function openIn({ producer, tenants }: ProducerNote, taken: Map<string, KeptLedger>): number {
  return [...tenants].reduce((sum, [tenant, numbers]) => {
    const arrived = taken.get(tenant)?.arrivals.get(producer) ?? NO_NUMBERS;
    return sum + countNumbers(withoutRanges(numbers, arrived));
  }, 0);
}

const hasArrived = (note: ProducerNote, taken: Map<string, KeptLedger>): boolean => openIn(note, taken) === 0;

/** Tells whether no event waits in a queue. Where SQS does not answer, some may. */
async function areEmpty(queues: QueueDepths, deadline: number): Promise<boolean> {
  try {
    const { events, deadLetters } = await queues.read(deadline);
    return [events, deadLetters].every(({ visible, inFlight, delayed }) => visible + inFlight + delayed === 0);
  } catch {
    return false;
  }
}

/**
 * The age from which on the note of a producer is final: its life, the time in which it still writes, and five minutes between the
 * clocks of processes.
 */
const FINAL_AFTER_MS = PRODUCER_LIFE_MS + PRODUCER_NOTE_GRACE_MS + 300_000;

/** SQS may take a minute to count a message, so events are late for the ledger only some time after the last one was sent. */
const SETTLED_MS = 180_000;

/** The time of the next look where nothing waits and events are in flight: they are late then, and the database does not sleep yet. */
const LOOK_AGAIN_MS = 200_000;

/** The time between two tries while the database does not answer. */
const RETRY_MS = 300_000;

/** Two snapshots at once are rare, and the later one is whole first. */
const TRIES = 3;

/** The time to the next try where others took snapshots all the time. */
const OVERTAKEN_MS = 5_000;

/** Kept free to write the ledgers: some thousand tenants at some hundred writes a second. */
const WRITE_RESERVE_MS = 15_000;

const DEPTHS_MS = 3_000;

/** Calls of DynamoDB at once. */
const CALLS_IN_FLIGHT = 16;
