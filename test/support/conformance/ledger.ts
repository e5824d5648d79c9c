import { describe, expect, it } from "vitest";
import type { NewDeadLetter } from "../../../functions/core/dead-letter-table.ts";
import type { LedgerCounts, LedgerReader, TenantLedger } from "../../../functions/core/ledger.ts";
import type { StorableEvent } from "../../../functions/core/ports.ts";
import { soon } from "../database.ts";
import { newDeadLetter, wholeMessage } from "../dead-letter-samples.ts";
import { storable } from "../event-samples.ts";

export type LedgerUnderTest = {
  reader: LedgerReader;
  /** As the consumer does; an event whose data has U+0000 is refused. */
  store: (events: StorableEvent[]) => Promise<unknown> | void;
  record: (deadLetters: NewDeadLetter[]) => Promise<unknown>;
  rows: () => Promise<{ id: string; eventId: string | null; state: string; replays: number }[]>;
  /** A replay takes a row; somebody discards one. */
  replay: (id: string) => Promise<unknown> | void;
  discard: (id: string) => Promise<unknown> | void;
  /** Deletes the discarded dead letters. */
  prune: () => Promise<unknown> | void;
  /** From now on the database is unavailable. */
  outage: () => void;
};

const [EARLY, LATE] = ["0mi2x0000aaaaaaaaaaaa", "0mi2z0000bbbbbbbbbbbb"];

/** An event with a number. */
const numbered = (sequence: number, changes: Parameters<typeof storable>[0] = {}, facts: Partial<StorableEvent> = {}) =>
  storable({ id: String(sequence), ...changes }, { origin: { producer: EARLY, sequence }, ...facts });

/** The dead letter of such an event. */
const dead = (sequence: number, changes: Parameters<typeof newDeadLetter>[0] = {}) =>
  newDeadLetter({
    origin: { producer: EARLY, sequence },
    ...changes,
    event: { id: String(sequence), source: "/s", ...changes.event },
  });

const NOTHING = { stored: 0, copies: 0, conflicts: 0, open: 0, replayed: 0, discarded: 0 };

/** The contract of every reader of the ledger; `open` gives an empty database. */
export function describeLedger(name: string, open: () => Promise<LedgerUnderTest>): void {
  const opened = async () => {
    const under = await open();
    const take = () => under.reader.take({ since: "", producers: [] }, soon());
    const ledger = async (tenant = "default"): Promise<Partial<TenantLedger> | undefined> =>
      (await take()).tenants.find((each) => each.tenant === tenant);
    const idOf = async (eventId: string) => (await under.rows()).find((row) => row.eventId === eventId)?.id ?? "";
    return { ...under, take, ledger, idOf };
  };
  const counts = (changes: Partial<LedgerCounts>) => {
    const sums: LedgerCounts = { ...NOTHING, ...changes };
    const arrived = Object.values(sums).reduce((sum, count) => sum + count, 0);
    return { tenant: "default", ...sums, arrived };
  };

  describe(`a ledger ${name}`, () => {
    it("of an empty database says that there are no events", async () => {
      const { take } = await opened();

      expect(await take()).toEqual({
        takenAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        tenants: [{ tenant: "*", ...NOTHING, arrived: 0 }],
        arrivals: [],
        subscriptions: [],
      });
    });

    it("counts an event once by its number, however often its message is delivered", async () => {
      const { store, ledger } = await opened();
      const message = [numbered(1), numbered(2), numbered(3)];

      await store(message);
      await store(message);
      await store([...message, numbered(4), ...message]);

      expect(await ledger()).toEqual(counts({ stored: 4 }));
    });

    it("counts each number of a copy and of a conflict, once", async () => {
      const { store, ledger } = await opened();
      const again = [numbered(2, { id: "1" }), numbered(3, { id: "1", data: "other" }), numbered(4, { id: "1" })];
      await store([numbered(1)]);

      await store(again);
      await store(again);

      expect(await ledger()).toEqual(counts({ stored: 1, copies: 2, conflicts: 1 }));
    });

    it("counts copies within one call, and in a call with events that are new", async () => {
      const { store, ledger } = await opened();

      await store([numbered(1), numbered(2, { id: "1" }), numbered(3, { id: "1", data: "other" }), numbered(4)]);

      expect(await ledger()).toEqual(counts({ stored: 2, copies: 1, conflicts: 1 }));
    });

    it("counts an event without a number each time, by tenant", async () => {
      const { store, ledger } = await opened();
      await store([storable(), storable({}, { tenant: "other" })]);

      await store([storable(), storable({ data: "other" }), storable({ id: "2" })]);

      expect(await ledger()).toEqual(counts({ stored: 2, copies: 1, conflicts: 1 }));
      expect(await ledger("other")).toEqual({ ...counts({ stored: 1 }), tenant: "other" });
      expect(await ledger("*")).toEqual({ ...counts({ stored: 3, copies: 1, conflicts: 1 }), tenant: "*" });
    });

    it("numbers of two producers, and of two tenants of one, are apart", async () => {
      const { store, take, ledger } = await opened();
      const other = { producer: LATE, sequence: 1 };

      await store([numbered(1), numbered(1, { id: "b" }, { tenant: "other" })]);
      await store([numbered(2, { id: "c" }, { origin: other })]);

      expect(await ledger()).toEqual(counts({ stored: 2 }));
      expect(await ledger("other")).toEqual({ ...counts({ stored: 1 }), tenant: "other" });
      expect((await take()).arrivals).toHaveLength(3);
    });

    it("counts a refused event when its dead letter is recorded, and the same dead letter once", async () => {
      const { store, record, ledger } = await opened();
      await store([numbered(1), numbered(2, { data: "\0" })]);
      expect(await ledger()).toEqual(counts({ stored: 1 }));

      await record([dead(2, { messageId: "m1" })]);
      await record([dead(2, { messageId: "m2" }), dead(2, { messageId: "m3" })]);

      expect(await ledger()).toEqual(counts({ stored: 1, open: 1 }));
    });

    it("a dead letter without an event's key, of which the consumer has sent two, is recorded once by its number", async () => {
      const { record, rows, ledger } = await opened();
      const unreadable = (messageId: string) =>
        wholeMessage("no event", { messageId, tenant: "default", origin: { producer: EARLY, sequence: 1 } });

      await record([unreadable("m1"), unreadable("m2")]);
      await record([unreadable("m3")]);

      expect(await rows()).toHaveLength(1);
      expect(await ledger()).toEqual(counts({ open: 1 }));
    });

    it("an event that is stored when its message comes again counts no longer as a dead letter", async () => {
      const { store, record, ledger } = await opened();
      await record([dead(1), dead(2)]);

      await store([numbered(1)]);

      expect(await ledger()).toEqual(counts({ stored: 1, open: 1 }));
    });

    it("a dead letter of an event that has ended before changes nothing", async () => {
      const { store, record, ledger } = await opened();
      await store([numbered(1), numbered(2, { id: "1" })]);

      await record([dead(1), dead(2)]);

      expect(await ledger()).toEqual(counts({ stored: 1, copies: 1 }));
    });

    it("an event that was sent twice by its client counts twice, once as a dead letter and once as stored", async () => {
      const { store, record, ledger } = await opened();
      await record([dead(1)]);

      await store([numbered(2, { id: "1" })]);

      expect(await ledger()).toEqual(counts({ stored: 1, open: 1 }));
    });

    it.each([
      ["stored", { stored: 1 }],
      ["a copy of what was stored meanwhile", { stored: 1, copies: 1 }],
    ])("a replayed dead letter is replayed until it is %s", async (_what, expected) => {
      const { store, record, replay, ledger, idOf } = await opened();
      await record([dead(1)]);
      await replay(await idOf("1"));
      expect(await ledger()).toEqual(counts({ replayed: 1 }));
      if ("copies" in expected) {
        await store([numbered(2, { id: "1" })]);
        expect(await ledger()).toEqual(counts({ stored: 1, replayed: 1 }));
      }

      await store([numbered(1)]);
      await store([numbered(1)]);

      expect(await ledger()).toEqual(counts(expected));
    });

    it("a replayed dead letter that comes back is open, once", async () => {
      const { record, replay, ledger, idOf } = await opened();
      await record([dead(1)]);
      const id = await idOf("1");
      await replay(id);

      await record([dead(1, { messageId: "back", deadLetterId: id, replays: 1 })]);

      expect(await ledger()).toEqual(counts({ open: 1 }));
    });

    it("a dead letter without a number counts by its row, and counts as stored after its replay", async () => {
      const { store, record, replay, ledger, idOf } = await opened();
      await record([newDeadLetter(), newDeadLetter({ event: { id: "2" } })]);
      await replay(await idOf("1"));
      expect(await ledger()).toEqual(counts({ open: 1, replayed: 1 }));

      await store([storable({ source: "/shop" })]);

      expect(await ledger()).toEqual(counts({ open: 1, stored: 1 }));
    });

    it("a discarded dead letter counts as one, also when it is deleted and comes again after that", async () => {
      const { record, discard, prune, rows, ledger, idOf } = await opened();
      await record([dead(1), newDeadLetter({ event: { id: "plain" } })]);
      for (const id of ["1", "plain"]) await discard(await idOf(id));
      expect(await ledger()).toEqual(counts({ discarded: 2 }));

      await prune();
      expect(await rows()).toEqual([]);
      expect(await ledger()).toEqual(counts({ discarded: 2 }));

      await record([dead(1)]);
      expect(await ledger()).toEqual(counts({ discarded: 2 }));
    });

    it.each([0, 1])(
      "a discarded dead letter that is deleted counts as stored where its message comes again, after %i more snapshots",
      async (snapshots) => {
        const { record, store, discard, prune, ledger, idOf } = await opened();
        await record([dead(1), dead(2)]);
        for (const id of ["1", "2"]) await discard(await idOf(id));
        await prune();
        for (let i = 0; i < snapshots; i++) expect(await ledger()).toEqual(counts({ discarded: 2 }));

        await store([numbered(1)]);
        expect(await ledger()).toEqual(counts({ discarded: 1, stored: 1 }));

        await store([numbered(1), numbered(2)]);
        expect(await ledger()).toEqual(counts({ stored: 2 }));
      },
    );

    it("of several dead letters with one number an open one decides", async () => {
      const { record, discard, ledger, idOf } = await opened();
      await record([dead(1)]);
      await discard(await idOf("1"));

      await record([dead(1, { messageId: "by hand", event: { data: "other" } })]);

      expect(await ledger()).toEqual(counts({ open: 1 }));
    });

    it("a dead letter that names no tenant is in the sum of all, and in that of no tenant", async () => {
      const { record, take } = await opened();

      await record([wholeMessage("x")]);

      expect((await take()).tenants).toEqual([{ ...counts({ open: 1 }), tenant: "*" }]);
    });

    it("names the numbers that arrived of the producers that are asked for, and of those that began later", async () => {
      const { reader, store, record } = await opened();
      await store([numbered(1), numbered(2), numbered(5), numbered(4, { data: "\0" })]);
      await record([dead(6), dead(9)]);
      await store([numbered(1, { id: "late" }, { origin: { producer: LATE, sequence: 1 } })]);
      const arrivals = async (since: string, producers: string[]) =>
        (await reader.take({ since, producers }, soon())).arrivals.toSorted((a, b) =>
          a.producer < b.producer ? -1 : 1,
        );

      const numbers = [
        [1, 2],
        [5, 6],
        [9, 9],
      ];
      const early = { producer: EARLY, tenant: "default", numbers };
      const late = { producer: LATE, tenant: "default", numbers: [[1, 1]] };
      expect(await arrivals("0mi2y", [])).toEqual([late]);
      expect(await arrivals(LATE, [])).toEqual([late]);
      expect(await arrivals("1", [EARLY, "unknown"])).toEqual([early]);
      expect(await arrivals("", [])).toEqual([early, late]);
    });

    it("cannot be taken in an outage", async () => {
      const { reader, outage } = await opened();
      outage();

      await expect(reader.take({ since: "", producers: [] }, soon())).rejects.toMatchObject({ isOutage: true });
    });
  });
}
