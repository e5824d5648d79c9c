import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { CHUNK_MAX_BYTES, CHUNK_MAX_EVENTS } from "../../functions/core/database-limits.ts";
import { EVENT_MAX_BYTES } from "../../functions/core/limits.ts";
import type { EventStore, StorableEvent } from "../../functions/core/ports.ts";
import { soon, TARGET } from "../support/database.ts";
import { storable, storables } from "../support/event-samples.ts";
import { allWell, chunksOf, startEventStore, type TestEventStore } from "../support/event-store.ts";

/** The limit of one Data API call, headers and all. */
const CALL_MAX_BYTES = 4 * 1024 * 1024;

let setup: TestEventStore;
let store: EventStore;
beforeAll(async () => {
  setup = await startEventStore();
  ({ store } = setup);
});
afterAll(() => setup.db.remove());
beforeEach(() => setup.empty());

describe("chunks", () => {
  /** The request of one call to the Data API. */
  const callBytes = async (events: StorableEvent[]) => {
    let bytes = 0;
    const execute = async (sql: string, parameters: Record<string, string | null>) => {
      const named = Object.entries(parameters).map(([name, stringValue]) => ({ name, value: { stringValue } }));
      bytes = Buffer.byteLength(JSON.stringify({ ...TARGET, sql, parameters: named }));
      return { rows: [["stored", 0, null, null]], updated: 0 };
    };
    const measured = createEventStore({ execute, transaction: (work) => work(execute) });
    await measured.store(events, soon());
    return bytes;
  };
  /** Room for the request line, headers, ARNs and SQL. */
  const OVERHEAD_BYTES = 8 * 1024;

  /** One unit of text each: as it is, quoted once more in each layer, and of several bytes. */
  const unit = fc.constantFrom("x", '"', "\\", "\n", "\u0001", "\u00e4", "\u{1f680}", "\ufffe");
  const event = fc
    .record({ unit, bytes: fc.oneof(fc.nat(400), fc.nat(EVENT_MAX_BYTES - 1_000)) })
    .map(({ unit, bytes }) => unit.repeat(Math.floor(bytes / (Buffer.byteLength(JSON.stringify(unit)) - 2))));

  /** The number of the first event; 0 for events without numbers. */
  const first = fc.constantFrom(0, 1, 95, 2 ** 53 - 5_000);

  it("never need more than one call may have, keep the order, and are as few as that allows", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 60 }),
        fc.nat(CHUNK_MAX_EVENTS),
        first,
        async (texts, small, from) => {
          const events = [
            ...texts.map((data, i) => storable({ id: `large${i}`, data })),
            ...storables(small, "small", { data: '"' }),
          ].map((each, i) =>
            from === 0 ? each : { ...each, origin: { producer: "0mi2x0000aaaaaaaaaaaa", sequence: from + i } },
          );

          const chunks = chunksOf(store, events);

          expect(chunks.flat()).toEqual(events);
          for (const [i, chunk] of chunks.entries()) {
            expect(await callBytes(chunk)).toBeLessThanOrEqual(CALL_MAX_BYTES - OVERHEAD_BYTES);
            const [next] = chunks[i + 1] ?? [];
            if (next !== undefined && chunk.length < CHUNK_MAX_EVENTS)
              expect(await callBytes([...chunk, next])).toBeGreaterThan(CHUNK_MAX_BYTES);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    ["quotes", '"', 2],
    ["backslashes", "\\", 2],
    ["control characters", "\u0001", 6],
    ["characters of four bytes", "\u{1f680}", 4],
  ])("of the largest events made of %s are stored in one call each", async (_what, unit, bytes) => {
    const data = unit.repeat(Math.floor((EVENT_MAX_BYTES - 200) / bytes));
    const chunks = chunksOf(store, storables(16, "large", { data }));
    const [first = []] = chunks;
    expect(chunks.length).toBeGreaterThan(1);
    expect(await callBytes(first)).toBeGreaterThan(CHUNK_MAX_BYTES - 2.1 * EVENT_MAX_BYTES);

    expect(await store.store(first, soon())).toEqual(allWell(first.length));
  });

  it("of events of as many producers, with numbers that do not follow each other, fit into one call as well", async () => {
    const events = storables(CHUNK_MAX_EVENTS, "e", { data: "x".repeat(1_400) }).map((each, i) => {
      const producer = `0mi2x0000${String(i).padStart(12, "a")}`;
      return { ...each, tenant: `t${i}${'"'.repeat(100)}`, origin: { producer, sequence: 2 ** 53 - 2 * i - 1 } };
    });

    const chunks = chunksOf(store, events);

    expect(chunks.length).toBeGreaterThan(1);
    for (const chunk of chunks) expect(await callBytes(chunk)).toBeLessThanOrEqual(CALL_MAX_BYTES - OVERHEAD_BYTES);
    expect(await callBytes(chunks[0] ?? [])).toBeGreaterThan(CHUNK_MAX_BYTES - 64 * 1024);
  });

  it("of as many rows as one may have are stored in one call", async () => {
    const [first = []] = chunksOf(store, storables(CHUNK_MAX_EVENTS + 1, "e", { data: '"'.repeat(300) }));

    expect(await store.store(first, soon())).toEqual(allWell(CHUNK_MAX_EVENTS));
  });

  it("are written when they are complete, so storing one reads none of its events", async () => {
    let reads = 0;
    const watched = storables(CHUNK_MAX_EVENTS + 1, "e").map(({ event: content, ...rest }) => ({
      ...rest,
      get event() {
        reads += 1;
        return content;
      },
    }));
    const chunks = chunksOf(store, watched);
    reads = 0;

    for (const chunk of chunks) expect(await store.store(chunk, soon())).toEqual(allWell(chunk.length));

    expect(reads).toBe(0);
  });
});
