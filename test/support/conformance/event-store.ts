import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event } from "../../../functions/core/event.ts";
import { CHUNK_MAX_EVENTS } from "../../../functions/core/database-limits.ts";
import type { EventStore, StoreOutcome } from "../../../functions/core/ports.ts";
import { soon } from "../database.ts";
import { storable, storables } from "../event-samples.ts";
import { allWell, chunksOf } from "../event-store.ts";

type StoreUnderTest = {
  store: EventStore;
  /** The ids of all stored events, sorted, once for each event. */
  ids: () => Promise<string[]>;
  /** From now on the database refuses every statement with the event of this id. */
  refuse: (id: string) => void;
  /** From now on the database is unavailable. */
  outage: () => void;
};

/** Every attribute that is compared. */
const full: Partial<Event> = {
  subject: "sub",
  dataschema: "https://example.com/schema",
  datacontenttype: "application/json",
  extensions: { traceid: "abc", sampled: true },
  data: { a: [1, 2] },
};

type Again = { receivedAt?: string; time?: string };

const inOrder = ({ stored, conflicts, erased, refused }: StoreOutcome): StoreOutcome => ({
  stored,
  conflicts: conflicts.toSorted((a, b) => a - b),
  erased,
  refused: refused.toSorted((a, b) => a.index - b.index),
});

/** The contract of every event store; `open` gives one that is empty and healthy. */
export function describeEventStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`an event store ${name}`, () => {
    it("stores events and counts them", async () => {
      const { store, ids } = await open();

      const outcome = await store.store(storables(3, "e"), soon());

      expect(outcome).toEqual(allWell(3));
      expect(await ids()).toEqual(["e0", "e1", "e2"]);
    });

    it.each([
      ["in another call", {}],
      ["on another day", { receivedAt: "2026-11-22T09:30:00.000Z" }],
      ["with another time", { time: "2026-11-22T01:02:03+01:00" }],
    ])("stores an event once that comes again %s", async (_when, { receivedAt, ...changes }: Again) => {
      const { store, ids } = await open();
      await store.store([storable({ ...full, id: "a" })], soon());
      const again = storable({ ...full, id: "a", ...changes }, receivedAt === undefined ? {} : { receivedAt });

      const outcome = await store.store([storable({ id: "b" }), again], soon());

      expect(outcome).toEqual(allWell(1));
      expect(await ids()).toEqual(["a", "b"]);
    });

    it("stores an event once that is in a batch twice", async () => {
      const { store, ids } = await open();

      const outcome = await store.store([storable({ id: "a" }), storable({ id: "b" }), storable({ id: "a" })], soon());

      expect(outcome).toEqual(allWell(2));
      expect(await ids()).toEqual(["a", "b"]);
    });

    it("takes the same id of another tenant or source for another event", async () => {
      const { store, ids } = await open();
      const events = [storable(), storable({}, { tenant: "other" }), storable({ source: "/other" })];

      const outcome = await store.store(events, soon());

      expect(outcome).toEqual(allWell(3));
      expect(await ids()).toEqual(["1", "1", "1"]);
    });

    it("tells keys apart by every byte, whatever they look like", async () => {
      const { store, ids } = await open();
      const alike = ["a", "A", "a ", "\u00e4", "a\u0308", "a\u200b", "a\nb", 'a"', "a'"];

      const outcome = await store.store(
        alike.map((id) => storable({ id })),
        soon(),
      );

      expect(outcome).toEqual(allWell(alike.length));
      expect(await ids()).toEqual(alike.toSorted());
    });

    it.each<[string, Partial<Event>, Partial<Event>?]>([
      ["type", { type: "com.example.other" }],
      ["subject", { subject: "other" }],
      ["dataschema", { dataschema: "https://example.com/other" }],
      ["datacontenttype", { datacontenttype: "text/plain" }],
      ["extension", { extensions: { traceid: "other" } }],
      ["data", { data: { a: [1, 3] } }],
      ["data, null", { data: null }],
      ["data, none", { data: undefined }],
      ["data, binary", { data: undefined, data_base64: "AAAA" }],
      ["data in base64", { data: undefined, data_base64: "AAAA" }, { data: undefined, data_base64: "AAAB" }],
    ])(
      "keeps the first of two events under one key, and tells that the second has another %s",
      async (_what, changes, before = {}) => {
        const { store, ids } = await open();
        const first = storable({ ...full, ...before, id: "a" });
        const second = storable({ ...full, ...changes, id: "a" });

        expect(await store.store([storable({ id: "0" }), first, second, first], soon())).toEqual({
          stored: 2,
          conflicts: [2],
          erased: 0,
          refused: [],
        });
        expect(await store.store([second, first, storable({ id: "b" })], soon())).toEqual({
          stored: 1,
          conflicts: [0],
          erased: 0,
          refused: [],
        });
        expect(await ids()).toEqual(["0", "a", "b"]);
      },
    );

    it("stores each key once and tells every copy with another content, however they are spread over batches", async () => {
      const event = fc.record({
        tenant: fc.constantFrom("t", "u"),
        source: fc.constantFrom("/s", "/r"),
        id: fc.nat(2).map(String),
        data: fc.constantFrom("x", "y"),
      });
      const batches = fc.array(fc.array(event, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(batches, async (all) => {
          const { store, ids } = await open();
          const kept = new Map<string, { id: string; data: string }>();

          for (const batch of all) {
            const expected = { stored: 0, conflicts: [] as number[], erased: 0, refused: [] };
            for (const [index, { tenant, source, id, data }] of batch.entries()) {
              const key = `${tenant} ${source} ${id}`;
              const known = kept.get(key);
              if (known === undefined) {
                kept.set(key, { id, data });
                expected.stored += 1;
              } else if (known.data !== data) {
                expected.conflicts.push(index);
              }
            }

            const outcome = await store.store(
              batch.map(({ tenant, ...event }) => storable(event, { tenant })),
              soon(),
            );

            expect(inOrder(outcome)).toEqual(expected);
          }
          expect(await ids()).toEqual([...kept.values()].map(({ id }) => id).toSorted());
        }),
        { numRuns: 25 },
      );
    });

    it("stores the neighbours of events that are refused, and tells which these are", async () => {
      const { store, ids } = await open();
      const bad = { data: "a\u0000b" };
      const events = [
        storable({ id: "a" }),
        storable({ id: "bad", ...bad }),
        storable({ id: "b", data: 1 }),
        storable({ id: "b", data: 2 }),
        storable({ id: "late", ...bad }),
        storable({ id: "late" }),
      ];

      const outcome = inOrder(await store.store(events, soon()));

      expect(outcome).toMatchObject({ stored: 3, conflicts: [3] });
      expect(outcome.refused.map(({ index, error }) => [index, error.disposition, error.sqlState])).toEqual([
        [1, "dead-letter", "22P05"],
        [4, "dead-letter", "22P05"],
      ]);
      expect(await ids()).toEqual(["a", "b", "late"]);
    });

    it("stores nothing by a statement that is refused for an event in it, and says that it is the event", async () => {
      const { store, ids, refuse } = await open();
      refuse("bad");

      const call = store.store([...storables(3, "good"), storable({ id: "bad" })], soon());

      await expect(call).rejects.toMatchObject({
        name: "DatabaseError",
        disposition: "dead-letter",
        sqlState: expect.stringMatching(/^22...$/),
      });
      expect(await ids()).toEqual([]);
      expect(await store.store(storables(3, "good"), soon())).toEqual(allWell(3));
    });

    it("stores nothing in an outage of the database, and says to try again", async () => {
      const { store, ids, outage } = await open();
      outage();

      const call = store.store(storables(2, "e"), soon());

      await expect(call).rejects.toMatchObject({
        name: "DatabaseError",
        disposition: "retry",
        reason: "database_unavailable",
      });
      expect(await ids()).toEqual([]);
    });

    it.each([0, 1, CHUNK_MAX_EVENTS, CHUNK_MAX_EVENTS + 1, 2 * CHUNK_MAX_EVENTS + 1])(
      "cuts %i events into chunks in order, none of them empty or over the limit",
      async (count) => {
        const { store } = await open();
        const events = storables(count, "e");

        const chunks = chunksOf(store, events);

        expect(chunks.flat()).toEqual(events);
        expect(
          chunks.map(({ length }) => length).filter((length) => length === 0 || length > CHUNK_MAX_EVENTS),
        ).toEqual([]);
      },
    );
  });
}
