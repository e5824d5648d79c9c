import type { KeptLedger, LedgerTable } from "../../functions/core/ledger-table.ts";
import { NOTE_KEPT_MS, type ProducerNote, type ProducerNotes } from "../../functions/core/producer-notes.ts";
import { INSTALLATION } from "../../functions/core/scopes.ts";

/** The table of the ledger and of the notes in memory. */
export function memoryLedgerTable(): LedgerTable & ProducerNotes {
  const notes = new Map<string, ProducerNote>();
  const ledgers = new Map<string, { kept: KeptLedger; takenAt: string }>();
  return {
    async write(note) {
      const { at } = notes.get(note.producer) ?? { at: note.at };
      if (at <= note.at) notes.set(note.producer, { ...note, tenants: new Map(note.tenants) });
    },
    readNotes: async (now) => [...notes.values()].filter(({ at }) => at + NOTE_KEPT_MS > now),
    readLedgers: async (tenant) =>
      [...ledgers.values()]
        .map(({ kept }) => kept)
        .filter(({ ledger }) => tenant === INSTALLATION || ledger.tenant === tenant),
    readTakenAt: async () => ledgers.get(INSTALLATION)?.takenAt,
    async writeLedger(kept, takenAt) {
      const before = ledgers.get(kept.ledger.tenant);
      if (before === undefined || before.takenAt <= takenAt) ledgers.set(kept.ledger.tenant, { kept, takenAt });
    },
    async writeLast(kept, takenAt, before) {
      const known = ledgers.get(INSTALLATION)?.takenAt;
      const isLast = known === before && (known === undefined || known <= takenAt);
      if (isLast) ledgers.set(INSTALLATION, { kept, takenAt });
      return isLast;
    },
    async deleteNote({ producer, at }) {
      if (notes.get(producer)?.at === at) notes.delete(producer);
    },
  };
}
