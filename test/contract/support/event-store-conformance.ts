import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHUNK_MAX_EVENTS } from "../../../functions/core/limits.ts";
import type { EventStore } from "../../../functions/core/ports.ts";
import { soon } from "./database.ts";
import { storable, storables } from "./event-samples.ts";

type StoreUnderTest = {
  store: EventStore;
  /** The ids of all stored events, sorted, once for each event. */
  ids: () => Promise<string[]>;
  /** From now on the database refuses every batch with the event of this id. */
  poison: (id: string) => void;
  /** From now on the database is unavailable. */
  outage: () => void;
};

/** The contract of every event store; `open` gives one that is empty and healthy. */
export function describeEventStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`an event store ${name}`, () => {
    it("stores events and counts them", async () => {
      const { store, ids } = await open();

      const counts = await store.store(storables(3, "e"), soon());

      expect(counts).toEqual({ stored: 3 });
      expect(await ids()).toEqual(["e0", "e1", "e2"]);
    });

    it.each([
      ["in another call", {}],
      ["on another day", { receivedAt: "2026-11-22T09:30:00.000Z" }],
    ])("stores an event once that comes again %s", async (_when, changes) => {
      const { store, ids } = await open();
      await store.store([storable({ id: "a" })], soon());

      const counts = await store.store([storable({ id: "b" }), storable({ id: "a" }, changes)], soon());

      expect(counts).toEqual({ stored: 1 });
      expect(await ids()).toEqual(["a", "b"]);
    });

    it("stores an event once that is in a batch twice", async () => {
      const { store, ids } = await open();

      const counts = await store.store([storable({ id: "a" }), storable({ id: "b" }), storable({ id: "a" })], soon());

      expect(counts).toEqual({ stored: 2 });
      expect(await ids()).toEqual(["a", "b"]);
    });

    it("takes the same id of another tenant or source for another event", async () => {
      const { store, ids } = await open();
      const events = [storable(), storable({}, { tenant: "other" }), storable({ source: "/other" })];

      const counts = await store.store(events, soon());

      expect(counts).toEqual({ stored: 3 });
      expect(await ids()).toEqual(["1", "1", "1"]);
    });

    it("tells keys apart by every byte, whatever they look like", async () => {
      const { store, ids } = await open();
      const alike = ["a", "A", "a ", "\u00e4", "a\u0308", "a\u200b", "a\nb", 'a"', "a'"];

      const counts = await store.store(
        alike.map((id) => storable({ id })),
        soon(),
      );

      expect(counts.stored).toBe(alike.length);
      expect(await ids()).toEqual(alike.toSorted());
    });

    it("stores each key once, however its copies are spread over batches", async () => {
      const key = fc.record({ tenant: fc.constantFrom("t", "u"), source: fc.constantFrom("/s", "/r"), id: fc.nat(2) });
      const batches = fc.array(fc.array(key, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(batches, async (all) => {
          const { store, ids } = await open();
          const seen = new Map<string, string>();

          for (const batch of all) {
            const before = seen.size;
            for (const { tenant, source, id } of batch) seen.set(`${tenant} ${source} ${id}`, String(id));
            const fresh = seen.size - before;
            const events = batch.map(({ tenant, source, id }) => storable({ source, id: String(id) }, { tenant }));

            const counts = await store.store(events, soon());

            expect(counts).toEqual({ stored: fresh });
          }
          expect(await ids()).toEqual([...seen.values()].toSorted());
        }),
        { numRuns: 25 },
      );
    });

    it("stores nothing of a batch with an event that is refused, and says that it is the event", async () => {
      const { store, ids, poison } = await open();
      poison("bad");

      const call = store.store([...storables(3, "good"), storable({ id: "bad" })], soon());

      await expect(call).rejects.toMatchObject({
        name: "StoreError",
        verdict: "dead-letter",
        sqlState: expect.stringMatching(/^22...$/),
      });
      expect(await ids()).toEqual([]);
      expect(await store.store(storables(3, "good"), soon())).toEqual({ stored: 3 });
    });

    it("stores nothing while the database is away, and says to try again", async () => {
      const { store, ids, outage } = await open();
      outage();

      const call = store.store(storables(2, "e"), soon());

      await expect(call).rejects.toMatchObject({
        name: "StoreError",
        verdict: "retry",
        reason: "database_unavailable",
      });
      expect(await ids()).toEqual([]);
    });

    it.each([0, 1, CHUNK_MAX_EVENTS, CHUNK_MAX_EVENTS + 1, 2 * CHUNK_MAX_EVENTS + 1])(
      "cuts %i events into chunks in order, none of them empty or over the limit",
      async (count) => {
        const { store } = await open();
        const events = storables(count, "e");

        const chunks = store.chunks(events);

        expect(chunks.flat()).toEqual(events);
        expect(
          chunks.map(({ length }) => length).filter((length) => length === 0 || length > CHUNK_MAX_EVENTS),
        ).toEqual([]);
      },
    );
  });
}
