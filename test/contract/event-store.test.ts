import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDataApiEventStore } from "../../functions/adapters/data-api-event-store.ts";
import {
  CHUNK_MAX_BYTES,
  CHUNK_MAX_EVENTS,
  EVENT_MAX_BYTES,
  ID_MAX_BYTES,
  SOURCE_MAX_BYTES,
  TENANT_MAX_BYTES,
} from "../../functions/core/limits.ts";
import { parseLossless, stringifyForQueue } from "../../functions/core/lossless-json.ts";
import type { EventStore, StorableEvent } from "../../functions/core/ports.ts";
import { memoryStore, outage, poison } from "../unit/consume/support.ts";
import { soon, startDatabase, TARGET, type TestDatabase } from "./support/database.ts";
import { jsonData, storable, storables } from "./support/event-samples.ts";
import { describeEventStore } from "./support/event-store-conformance.ts";

/** What one Data API call may have, headers and all. */
const CALL_MAX_BYTES = 4 * 1024 * 1024;

let db: TestDatabase;
let store: EventStore;
beforeAll(async () => {
  db = await startDatabase();
  await db.migrate();
  store = createDataApiEventStore(db.database);
});
afterAll(() => db.remove());
const empty = async () => {
  db.faults.clear();
  await db.ask("delete from events");
  await db.ask("delete from event_keys");
};
beforeEach(empty);
afterEach(() => db.faults.clear());

type Row = { tenant: string; id: string; source: string; type: string; received_at: Date; data: string | null };
const rows = () =>
  db.ask<Row>("select tenant, id, source, type, received_at, data::text from events order by tenant, id, source");
const onlyRow = async () => {
  const [row, ...more] = await rows();
  expect(more).toEqual([]);
  return row;
};
const countOf = async (table: "events" | "event_keys") =>
  (await db.ask<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n;

describeEventStore("in PostgreSQL", async () => {
  await empty();
  return {
    store,
    ids: async () => (await rows()).map(({ id }) => id).toSorted(),
    poison: (id) => db.faults.add({ kind: "refuse", text: `"id":"${id}"`, sqlState: "22P05" }),
    outage: () => db.faults.add({ kind: "error", error: "DatabaseUnavailableException" }),
  };
});

describeEventStore("in memory", async () => {
  let bad: string | undefined;
  let away = false;
  const { store, ids } = memoryStore({
    fault: (all) => (away ? outage() : bad !== undefined && all.includes(bad) ? poison() : undefined),
  });
  return {
    store,
    ids: async () => ids(),
    poison: (id) => {
      bad = id;
    },
    outage: () => {
      away = true;
    },
  };
});

describe("of several copies of an event", () => {
  it("the first is kept, whatever day the next ones are received", async () => {
    await store.store([storable({ data: "first" })], soon());
    await store.store([storable({ data: "second" }, { receivedAt: "2026-11-22T00:00:00.000Z" })], soon());
    await store.store([storable({ data: "third" }, { receivedAt: "2026-11-20T00:00:00.000Z" })], soon());

    expect(await onlyRow()).toMatchObject({ data: '"first"', received_at: new Date("2026-11-21T09:30:00Z") });
  });

  it("the first in a batch is kept, also when a later one sorts before it", async () => {
    const copies = ["m", "z", "a"].map((data, i) =>
      storable({ data }, { receivedAt: `2026-11-2${3 - i}T00:00:00.000Z` }),
    );

    const counts = await store.store([storable({ id: "0" }), ...copies, storable({ id: "2" })], soon());

    expect(counts).toEqual({ stored: 3 });
    expect((await rows())[1]).toMatchObject({ id: "1", data: '"m"', received_at: new Date("2026-11-23T00:00:00Z") });
  });
});

describe("what is stored", () => {
  it("has every attribute in its column", async () => {
    const attributes = {
      subject: "sub",
      dataschema: "https://example.com/schema",
      datacontenttype: "application/json",
    };
    const event = storable({
      ...attributes,
      id: "i",
      source: "/src",
      type: "com.example.full",
      time: "2026-11-21T10:00:00.5+01:00",
      extensions: { traceid: "abc", sampled: true, weight: -3 },
      data: { a: 1 },
    });

    await store.store([event], soon());

    const [row] = await db.ask("select * from events");
    expect(row).toMatchObject({
      ...attributes,
      tenant: "default",
      id: "i",
      source: "/src",
      type: "com.example.full",
      time: new Date("2026-11-21T09:00:00.500Z"),
      time_sent: "2026-11-21T10:00:00.5+01:00",
      received_at: new Date("2026-11-21T09:30:00Z"),
      stored_at: expect.any(Date),
      extensions: { traceid: "abc", sampled: true, weight: -3 },
      data: { a: 1 },
    });
  });

  it("tells the data null from no data", async () => {
    await store.store([storable({ id: "absent" }), storable({ id: "null", data: null })], soon());

    expect((await rows()).map(({ id, data }) => [id, data])).toEqual([
      ["absent", null],
      ["null", "null"],
    ]);
  });

  it("keeps every digit of its numbers", async () => {
    const numbers = ["12345678901234567890", "1.5", "0.1234567890123456789", "-9007199254740993", "1E400"];
    const { exact } = parseLossless(`[${numbers.join(",")}]`);

    await store.store([storable({ data: exact })], soon());

    expect((await onlyRow())?.data).toBe(`[${[...numbers.slice(0, -1), `1${"0".repeat(400)}`].join(", ")}]`);
  });

  it.each([
    ["noncharacters", "\ufffe\uffff\ufdd0"],
    ["emoji and letters beyond the BMP", "\u{1f469}\u200d\u{1f680}\u{10ffff}"],
    ["control characters", "\u0001\b\t\n\f\r\u001f\u007f\u0085\u2028"],
    ["what JSON and SQL quote", `"\\'\`:name :: $1 $$ %s \\u0000 \\\\`],
  ])("keeps %s in data, keys and attributes", async (_what, text) => {
    const event = storable({ id: text, source: text, type: text, subject: text, data: { [text]: [text] } });
    const { exact } = parseLossless(stringifyForQueue(event));

    await store.store([exact as StorableEvent], soon());

    const row = await onlyRow();
    expect(row).toMatchObject({ id: text, source: text, type: text });
    expect(JSON.parse(row?.data ?? "")).toEqual({ [text]: [text] });
  });

  it("is equal to what was sent", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(jsonData, { minLength: 1, maxLength: 50 }), async (values) => {
        await empty();

        await store.store(
          values.map((data, i) => storable({ id: String(i).padStart(2, "0"), data })),
          soon(),
        );

        expect((await rows()).map(({ data }) => JSON.parse(data ?? "") as unknown)).toEqual(values);
      }),
      { numRuns: 20 },
    );
  });

  it("may use each limit to its last byte", async () => {
    const random = (bytes: number) => fc.sample(fc.stringMatching(new RegExp(`^[!-~]{${bytes}}$`)), 1)[0] ?? "";
    const longest = {
      id: random(ID_MAX_BYTES),
      source: random(SOURCE_MAX_BYTES),
      data: "x".repeat(EVENT_MAX_BYTES - 3_000),
    };
    const tenant = random(TENANT_MAX_BYTES);

    expect(await store.store([storable(longest, { tenant })], soon())).toEqual({ stored: 1 });
    expect(await store.store([storable(longest, { tenant })], soon())).toEqual({ stored: 0 });

    expect(await onlyRow()).toMatchObject({ tenant, id: longest.id, source: longest.source });
  });
});

describe("chunks", () => {
  /** What one call would send, as a request of the Data API. */
  const callBytes = async (events: StorableEvent[]) => {
    let bytes = 0;
    const execute = async (sql: string, parameters: Record<string, string | null>) => {
      const named = Object.entries(parameters).map(([name, stringValue]) => ({ name, value: { stringValue } }));
      bytes = Buffer.byteLength(JSON.stringify({ ...TARGET, sql, parameters: named }));
      return { rows: [], updated: 0 };
    };
    const measured = createDataApiEventStore({ execute, transaction: (work) => work(execute) });
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

  it("never need more than one call may have, keep the order, and are as few as that allows", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), fc.nat(CHUNK_MAX_EVENTS), async (texts, small) => {
        const events = [
          ...texts.map((data, i) => storable({ id: `large${i}`, data })),
          ...storables(small, "small", { data: '"' }),
        ];

        const chunks = store.chunks(events);

        expect(chunks.flat()).toEqual(events);
        for (const [i, chunk] of chunks.entries()) {
          expect(await callBytes(chunk)).toBeLessThanOrEqual(CALL_MAX_BYTES - OVERHEAD_BYTES);
          const [next] = chunks[i + 1] ?? [];
          if (next !== undefined && chunk.length < CHUNK_MAX_EVENTS)
            expect(await callBytes([...chunk, next])).toBeGreaterThan(CHUNK_MAX_BYTES);
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ["quotes", '"', 2],
    ["backslashes", "\\", 2],
    ["control characters", "\u0001", 6],
    ["letters of four bytes", "\u{1f680}", 4],
  ])("of the largest events made of %s are stored in one call each", async (_what, unit, bytes) => {
    const data = unit.repeat(Math.floor((EVENT_MAX_BYTES - 200) / bytes));
    const chunks = store.chunks(storables(16, "large", { data }));
    const [first = []] = chunks;
    expect(chunks.length).toBeGreaterThan(1);
    expect(await callBytes(first)).toBeGreaterThan(CHUNK_MAX_BYTES - 2.1 * EVENT_MAX_BYTES);

    expect(await store.store(first, soon())).toEqual({ stored: first.length });
  });

  it("of as many rows as one may have are stored in one call", async () => {
    const [first = []] = store.chunks(storables(CHUNK_MAX_EVENTS + 1, "e", { data: '"'.repeat(300) }));

    expect(await store.store(first, soon())).toEqual({ stored: CHUNK_MAX_EVENTS });
  });
});

describe("a batch that cannot be stored", () => {
  it("for want of a partition is to come again, and is stored once there is one", async () => {
    const late = storable({ id: "late" }, { receivedAt: "2026-09-01T00:00:00.000Z" });

    await expect(store.store([storable(), late], soon())).rejects.toMatchObject({
      name: "StoreError",
      verdict: "wait",
      reason: "missing_partition",
      sqlState: "23514",
    });
    expect([await countOf("events"), await countOf("event_keys")]).toEqual([0, 0]);

    await db.ask("select ensure_event_partitions('2026-09-01', '2026-09-01')");
    expect(await store.store([storable(), late], soon())).toEqual({ stored: 2 });
  });

  it.each([
    ["22P05", { data: "a\u0000b" }],
    ["22P02", { data: "half \ud83d" }],
    ["22003", { data: parseLossless("[1e200000]").exact }],
    ["22007", { time: "yesterday at noon" }],
    ["54000", { id: "i".repeat(3_000), source: fc.sample(fc.stringMatching(/^[!-~]{9000}$/), 1)[0] ?? "" }],
  ])("for %s is refused for what is in it, and leaves nothing behind", async (sqlState, changes) => {
    const batch = [storable({ id: "0" }), storable({ ...changes }), storable({ id: "2" })];

    await expect(store.store(batch, soon())).rejects.toMatchObject({
      name: "StoreError",
      verdict: "dead-letter",
      sqlState,
      detail: expect.stringMatching(/^ERROR: /),
    });
    expect([await countOf("events"), await countOf("event_keys")]).toEqual([0, 0]);
  });

  it("is stored event by event but for those that are refused, each with its reason", async () => {
    const bad = {
      nul: { data: "a\u0000b" },
      half: { data: "half \ud83d" },
      huge: { data: parseLossless("[1e200000]").exact },
      time: { time: "noon" },
    };
    const batch = [
      storable({ id: "0" }),
      ...Object.entries(bad).map(([id, changes]) => storable({ id, ...changes })),
      storable({ id: "day" }, { receivedAt: "2026-09-02T00:00:00.000Z" }),
      storable({ id: "0" }),
      storable({ id: "2" }),
    ];

    const { stored, refused } = await store.storeEach(batch, soon());

    expect(stored).toBe(2);
    expect(refused.map(({ index, error }) => [index, error.verdict, error.reason, error.sqlState])).toEqual([
      [1, "dead-letter", "not_storable", "22P05"],
      [2, "dead-letter", "not_storable", "22P02"],
      [3, "dead-letter", "not_storable", "22003"],
      [4, "dead-letter", "not_storable", "22007"],
      [5, "wait", "missing_partition", "23514"],
    ]);
    expect([await countOf("events"), await countOf("event_keys")]).toEqual([2, 2]);
  });

  it("answers within the limits of the Data API when each of the most events it may have is refused", async () => {
    const batch = Array.from({ length: CHUNK_MAX_EVENTS }, (_, i) =>
      storable({ id: `"${i}`, data: `\u0000${'"'.repeat(300)}` }),
    );

    const { stored, refused } = await store.storeEach(batch, soon());

    expect([stored, refused.length]).toEqual([0, CHUNK_MAX_EVENTS]);
  });

  it("fails as a whole for what is no event's fault", async () => {
    await db.ask("alter table events rename to gone");
    try {
      await expect(store.storeEach(storables(2, "e"), soon())).rejects.toMatchObject({
        verdict: "stop",
        sqlState: "42P01",
      });
    } finally {
      await db.ask("alter table gone rename to events");
    }
  });

  it("as it may have been stored already is stored once when it comes again", async () => {
    db.faults.set([{ kind: "dropAfter", operation: "ExecuteStatement", calls: 1 }]);

    const counts = await store.store(storables(3, "e"), soon());

    // The SDK repeats the call whose answer was lost, and that one finds its own rows.
    expect(counts).toEqual({ stored: 0 });
    expect([await countOf("events"), await countOf("event_keys")]).toEqual([3, 3]);
  });
});

describe("writers of the same keys", () => {
  it("in opposite orders at the same time do not deadlock, and store each once", async () => {
    const events = storables(1_500, "e");
    const orders = [events, events.toReversed(), events, events.toReversed(), events, events.toReversed()];

    const counts = await Promise.all(orders.map((order) => store.store(order, soon())));

    expect(counts.reduce((sum, { stored }) => sum + stored, 0)).toBe(events.length);
    expect([await countOf("events"), await countOf("event_keys")]).toEqual([events.length, events.length]);
  });
});
