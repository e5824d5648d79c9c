import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EVENT_MAX_BYTES, ID_MAX_BYTES, SOURCE_MAX_BYTES, TENANT_MAX_BYTES } from "../../functions/core/limits.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import { stringifyForQueue } from "../../functions/core/sqs-text.ts";
import type { EventStore, StorableEvent } from "../../functions/core/ports.ts";
import { memoryStore, outage, refusal } from "../unit/consume/support.ts";
import { haveSameContent } from "../../functions/ingest/same-content.ts";
import { soon } from "../support/database.ts";
import { jsonData, storable } from "../support/event-samples.ts";
import { EQUAL_JSON, OTHER_JSON } from "../support/json-pairs.ts";
import { describeEventStore } from "../support/conformance/event-store.ts";
import { allWell, startEventStore, type TestEventStore } from "../support/event-store.ts";

let setup: TestEventStore;
let store: EventStore;
beforeAll(async () => {
  setup = await startEventStore();
  ({ store } = setup);
});
afterAll(() => setup.db.remove());
beforeEach(() => setup.empty());

const onlyRow = async () => {
  const [row, ...more] = await setup.rows();
  expect(more).toEqual([]);
  return row;
};

describeEventStore("in PostgreSQL", async () => {
  const { db, empty, rows } = setup;
  await empty();
  return {
    store,
    ids: async () => (await rows()).map(({ id }) => id).toSorted(),
    refuse: (id) => db.faults.add({ kind: "refuse", text: `,${id},`, sqlState: "22P05" }),
    outage: () => db.faults.add({ kind: "error", error: "DatabaseUnavailableException" }),
  };
});

describeEventStore("in memory", async () => {
  let bad: string | undefined;
  let away = false;
  const { store, ids } = memoryStore({
    fault: (all) => (away ? outage() : bad !== undefined && all.includes(bad) ? refusal() : undefined),
    refuse: ({ data }) => (typeof data === "string" && data.includes("\0") ? refusal() : undefined),
  });
  return {
    store,
    ids: async () => ids(),
    refuse: (id) => {
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

    const { stored } = await store.store([storable({ id: "0" }), ...copies, storable({ id: "2" })], soon());

    expect(stored).toBe(3);
    expect((await setup.rows())[1]).toMatchObject({
      id: "1",
      data: '"m"',
      received_at: new Date("2026-11-23T00:00:00Z"),
    });
  });

  it("one with the same values is no conflict, however they are written", async () => {
    const { lossless } = parseLossless('{"a":1.0000000000000000,"b":[12345678901234567890.50,1e2]}');
    await store.store([storable({ data: lossless, extensions: { a: "1", b: true } })], soon());

    const again = parseLossless('{"b":[12345678901234567890.5,100],"a":1}').lossless;

    expect(await store.store([storable({ data: again, extensions: { b: true, a: "1" } })], soon())).toEqual(allWell(0));
    expect((await onlyRow())?.data).toBe('{"a": 1.0000000000000000, "b": [12345678901234567890.50, 100]}');
  });

  it("each is compared by every digit and byte of it", async () => {
    const values = ["12345678901234567890", "1.5", '"\u00e4"', '{"a":"x"}'];
    const others = ["12345678901234567891", "1.50000000000000000001", '"a\u0308"', '{"a":"x "}'];
    const events = (texts: string[]) =>
      texts.map((text, i) => storable({ id: `e${i}`, data: parseLossless(text).lossless }));
    await store.store(events(values), soon());

    const { conflicts } = await store.store(events(others), soon());

    expect(conflicts).toHaveLength(values.length);
  });

  it("each is a conflict exactly where ingest says that its content differs", async () => {
    const pairs = [...EQUAL_JSON, ...OTHER_JSON];
    const events = (side: 0 | 1) =>
      pairs.map((pair, i) => storable({ id: `e${i}`, data: parseLossless(pair[side]).lossless }));
    await store.store(events(0), soon());

    const { conflicts } = await store.store(events(1), soon());

    const differing = pairs.flatMap((_pair, i) => {
      const [a, b] = [events(0)[i], events(1)[i]];
      return a !== undefined && b !== undefined && haveSameContent(a.event, b.event) ? [] : [i];
    });
    expect(conflicts.toSorted((a, b) => a - b)).toEqual(differing);
    expect(differing).toHaveLength(OTHER_JSON.length);
  });

  it("none is a conflict of the same event in another trace, which a request that is sent again has", async () => {
    const own = { id: "own", extensions: { traceparent: "00-a", tracestate: "v=1", other: "x" } };
    const filled = { id: "filled" };
    await store.store([storable(own), storable(filled)], soon());

    const again = [
      storable({ ...own, extensions: { traceparent: "00-b", other: "x" } }),
      storable({ ...filled, extensions: { traceparent: "00-c" } }),
      storable({ ...own, extensions: { traceparent: "00-a", tracestate: "v=1", other: "y" } }),
    ];

    expect((await store.store(again, soon())).conflicts).toEqual([2]);
  });

  it("none is a conflict of an event whose day was dropped while its key is still kept", async () => {
    await store.store([storable({ data: "first" })], soon());
    await setup.db.ask("delete from events");

    expect(await store.store([storable({ data: "second" })], soon())).toEqual(allWell(0));
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

    const [row] = await setup.db.ask("select * from events");
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

    expect((await setup.rows()).map(({ id, data }) => [id, data])).toEqual([
      ["absent", null],
      ["null", "null"],
    ]);
  });

  it("keeps every digit of its numbers", async () => {
    const numbers = ["12345678901234567890", "1.5", "0.1234567890123456789", "-9007199254740993", "1E400"];
    const { lossless } = parseLossless(`[${numbers.join(",")}]`);

    await store.store([storable({ data: lossless })], soon());

    expect((await onlyRow())?.data).toBe(`[${[...numbers.slice(0, -1), `1${"0".repeat(400)}`].join(", ")}]`);
  });

  it.each([
    ["noncharacters", "\ufffe\uffff\ufdd0"],
    ["emoji and characters beyond the BMP", "\u{1f469}\u200d\u{1f680}\u{10ffff}"],
    ["control characters", "\u0001\b\t\n\f\r\u001f\u007f\u0085\u2028"],
    ["what JSON and SQL quote", `"\\'\`:name :: $1 $$ %s \\u0000 \\\\`],
    ["what a row quotes", ` (a,"b",\\c){}, `],
  ])("keeps %s in data, keys and attributes", async (_what, text) => {
    const event = storable({ id: text, source: text, type: text, subject: text, data: { [text]: [text] } });
    const { lossless } = parseLossless(stringifyForQueue(event));

    await store.store([lossless as StorableEvent], soon());

    const row = await onlyRow();
    expect(row).toMatchObject({ id: text, source: text, type: text });
    expect(JSON.parse(row?.data ?? "")).toEqual({ [text]: [text] });
  });

  it("keeps every attribute of many events", async () => {
    const odd = [",", "(", ")", '"', "\\", "{", "}", " ", "a", "\n", "\t", "é"];
    const attribute = fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(...odd) });
    const attributes = fc.record({
      subject: attribute,
      type: attribute,
      dataschema: attribute,
      datacontenttype: attribute,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(attributes, { minLength: 1, maxLength: 30 }), async (all) => {
        await setup.empty();

        const events = all.map((each, i) => storable({ ...each, id: String(i).padStart(2, "0") }));
        expect(await store.store(events, soon())).toEqual(allWell(all.length));
        // Each equals what is stored, attribute by attribute.
        expect(await store.store(events, soon())).toEqual(allWell(0));
        const rows = await setup.db.ask("select subject, type, dataschema, datacontenttype from events order by id");
        expect(rows).toEqual(all);
      }),
      { numRuns: 30 },
    );
  });

  it("is equal to what was sent", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(jsonData, { minLength: 1, maxLength: 50 }), async (values) => {
        await setup.empty();

        await store.store(
          values.map((data, i) => storable({ id: String(i).padStart(2, "0"), data })),
          soon(),
        );

        expect((await setup.rows()).map(({ data }) => JSON.parse(data ?? "") as unknown)).toEqual(values);
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

    expect(await store.store([storable(longest, { tenant })], soon())).toEqual(allWell(1));
    expect(await store.store([storable(longest, { tenant })], soon())).toEqual(allWell(0));

    expect(await onlyRow()).toMatchObject({ tenant, id: longest.id, source: longest.source });
  });
});
