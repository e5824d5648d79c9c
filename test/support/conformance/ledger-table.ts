import { describe, expect, it } from "vitest";
import type { KeptLedger, LedgerTable } from "../../../functions/core/ledger-table.ts";
import { type NumberRanges, readRanges } from "../../../functions/core/number-ranges.ts";
import { NOTE_KEPT_MS, type ProducerNotes } from "../../../functions/core/producer-notes.ts";

export const numbers = (ranges: Record<string, string>): ReadonlyMap<string, NumberRanges> =>
  new Map(Object.entries(ranges).map(([name, text]) => [name, readRanges(text)]));

const kept = (tenant: string, stored: number, arrivals: Record<string, string> = {}): KeptLedger => ({
  ledger: { tenant, arrived: stored + 21, stored, copies: 1, conflicts: 2, open: 3, replayed: 4, discarded: 11 },
  arrivals: numbers(arrivals),
  subscriptions: { active: 5, disabled: 6, pending: 7 },
});

/** The contract of the table of notes and ledgers. */
export function describeLedgerTable(name: string, open: () => Promise<LedgerTable & ProducerNotes>): void {
  const times = ["2026-11-30T09:30:00.000Z", "2026-11-30T09:31:00.000Z"] as const;

  describe(`${name} as a table of the ledger`, () => {
    it("a table is empty at first", async () => {
      const table = await open();

      expect(await table.readNotes(30)).toEqual([]);
      expect(await table.readLedgers("*")).toEqual([]);
      expect(await table.readTakenAt()).toBeUndefined();
    });

    it("a note takes the place of the earlier ones of its producer, and never that of a later one", async () => {
      const table = await open();
      const later = { producer: "b", at: 20, tenants: numbers({ acme: "1-9,12", "x.y": "1" }) };

      await table.write({ producer: "a", at: 5, tenants: numbers({ acme: "1" }) });
      await table.write({ producer: "b", at: 10, tenants: numbers({ acme: "1-9" }) });
      await table.write(later);
      await table.write({ producer: "b", at: 10, tenants: numbers({ acme: "1-9" }) });

      expect(await table.readNotes(30)).toEqual([{ producer: "a", at: 5, tenants: numbers({ acme: "1" }) }, later]);
    });

    it("a note is deleted unless a later one of its producer is there", async () => {
      const table = await open();
      await table.write({ producer: "a", at: 20, tenants: numbers({}) });

      await table.deleteNote({ producer: "a", at: 10 });
      expect(await table.readNotes(30)).toHaveLength(1);

      await table.deleteNote({ producer: "a", at: 20 });
      await table.deleteNote({ producer: "a", at: 20 });
      expect(await table.readNotes(30)).toEqual([]);
    });

    it("a note of 20 days ago counts no more, although DynamoDB has not deleted it", async () => {
      const table = await open();
      await table.write({ producer: "a", at: 20, tenants: numbers({ acme: "1-9" }) });

      expect(await table.readNotes(19 + NOTE_KEPT_MS)).toHaveLength(1);
      expect(await table.readNotes(20 + NOTE_KEPT_MS)).toEqual([]);
    });

    it("a ledger is read as it was written, of one tenant or of all", async () => {
      const table = await open();
      const [acme, other] = [kept("acme", 7, { a: "1-5,9", b: "1" }), kept("other", 0)];

      await table.writeLedger(acme, times[0]);
      await table.writeLedger(other, times[0]);

      expect(await table.readLedgers("acme")).toEqual([acme]);
      expect(await table.readLedgers("nobody")).toEqual([]);
      expect(await table.readLedgers("*")).toEqual([acme, other]);
    });

    it("a snapshot is there with the ledger of no tenant, which is written last", async () => {
      const table = await open();
      const ofNone = kept("*", 3);

      await table.writeLedger(kept("acme", 7), times[0]);
      expect(await table.readTakenAt()).toBeUndefined();
      expect(await table.writeLast(ofNone, times[0], undefined)).toBe(true);

      expect(await table.readTakenAt()).toBe(times[0]);
      expect(await table.readLedgers("*")).toContainEqual(ofNone);
    });

    it("a snapshot never takes the place of a later one", async () => {
      const table = await open();

      for (const [stored, takenAt] of [
        [2, times[1]],
        [1, times[0]],
      ] as const) {
        await table.writeLedger(kept("acme", stored), takenAt);
        await table.writeLast(kept("*", stored), takenAt, await table.readTakenAt());
      }

      expect(await table.readLedgers("acme")).toEqual([kept("acme", 2)]);
      expect(await table.readTakenAt()).toBe(times[1]);
    });

    it("a snapshot is not written whole where another one became so since it began", async () => {
      const table = await open();

      expect(await table.writeLast(kept("*", 1), times[0], times[0])).toBe(false);
      expect(await table.writeLast(kept("*", 1), times[0], undefined)).toBe(true);
      expect(await table.writeLast(kept("*", 2), times[1], undefined)).toBe(false);
      expect(await table.readLedgers("*")).toEqual([kept("*", 1)]);
      expect(await table.writeLast(kept("*", 2), times[1], times[0])).toBe(true);
      expect(await table.readLedgers("*")).toEqual([kept("*", 2)]);
    });

    it("ledgers of many tenants with many producers are all read", async () => {
      const table = await open();
      const arrivals = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`producer-${i}`, "1-123456789"]));
      const tenants = Array.from({ length: 130 }, (_, i) => `tenant-${String(i).padStart(3, "0")}`);

      for (const tenant of tenants) await table.writeLedger(kept(tenant, 1, arrivals), times[0]);

      // More than the megabyte of one answer of DynamoDB.
      expect((await table.readLedgers("*")).map(({ ledger }) => ledger.tenant)).toEqual(tenants);
    });
  });
}
