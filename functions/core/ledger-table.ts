import type { TenantLedger, TenantSubscriptions } from "./ledger.ts";
import type { NumberRanges } from "./number-ranges.ts";
import type { ProducerNote } from "./producer-notes.ts";

/** The ledger of a tenant as a snapshot left it, whole in one item, so that its members are of one moment. */
export type KeptLedger = {
  /** That of `*` has the dead letters which name no tenant. */
  ledger: TenantLedger;
  /** The arrivals of the producers that a note may name, by producer. */
  arrivals: ReadonlyMap<string, NumberRanges>;
  subscriptions: Omit<TenantSubscriptions, "tenant">;
};

/**
 * The ledger where it is read without the database. Who computes with it reads the notes first and the ledgers then: a note is deleted
 * after the ledgers have all of its numbers.
 */
export type LedgerTable = {
  /** The notes of all producers that still count (NOTE_KEPT_MS), although DynamoDB deletes them some days later. @throws AccessError */
  readNotes(now: number): Promise<ProducerNote[]>;
  /** The ledger of a tenant, or those of all (`*`). @throws AccessError */
  readLedgers(tenant: string): Promise<KeptLedger[]>;
  /** When the last snapshot was taken that is written whole; undefined before the first. @throws AccessError */
  readTakenAt(): Promise<string | undefined>;
  /** Writes the ledger of a tenant, unless one of a later snapshot is there. @throws AccessError */
  writeLedger(kept: KeptLedger, takenAt: string): Promise<void>;
  /**
   * Writes the ledger of `*` behind all others, with which the snapshot is whole, unless another one became so since `before` was read.
   * @param before the answer of `readTakenAt` before the ledgers were read, with which this snapshot was compared
   * @returns whether it is written; if not, a ledger that was left out as unchanged may have changed
   * @throws AccessError
   */
  writeLast(kept: KeptLedger, takenAt: string, before: string | undefined): Promise<boolean>;
  /** Deletes a note, unless a later one of the producer is there. @throws AccessError */
  deleteNote(note: Pick<ProducerNote, "producer" | "at">): Promise<void>;
};
