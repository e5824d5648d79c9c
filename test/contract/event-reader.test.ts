import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { Event } from "../../functions/core/event.ts";
import {
  EVENT_MAX_BYTES,
  EVENT_MAX_DEPTH,
  EXTENSION_VALUE_MAX_BYTES,
  EXTENSIONS_MAX,
  SOURCE_MAX_BYTES,
} from "../../functions/core/limits.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import type { EventReader, EventStore, FoundEvent } from "../../functions/core/ports.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { memoryReader } from "../unit/query/support.ts";
import { describeEventReader } from "../support/conformance/event-reader.ts";
import { jsonData, storable } from "../support/event-samples.ts";

let db: TestDatabase;
let store: EventStore;
let reader: EventReader;
beforeAll(async () => {
  db = await startMigratedDatabase();
  store = createEventStore(db.writer);
  reader = createEventReader(db.reader);
});
afterAll(() => db.remove());
afterEach(async () => {
  db.faults.clear();
  await db.ask("delete from events");
  await db.ask("delete from event_keys");
});

const find = (id: string, { tenant = "default", source }: { tenant?: string; source?: string } = {}) =>
  reader.find({ tenant, id, source }, soon());
/** Stores one event with what is given, and reads it. */
async function roundTrip(changes: Partial<Event>): Promise<FoundEvent> {
  await store.store([storable({ id: "1", ...changes })], soon());
  return find(changes.id ?? "1");
}
const parsed = (found: FoundEvent): Record<string, unknown> =>
  found.kind === "found" ? (JSON.parse(found.json) as Record<string, unknown>) : { kind: found.kind };

describeEventReader("in PostgreSQL", async (events) => {
  await store.store(events, soon());
  return { reader, outage: () => db.faults.add({ kind: "error", error: "DatabaseUnavailableException" }) };
});

describeEventReader("in memory", async (events) => memoryReader(events));

describe("an event that is stored", () => {
  it("is found in CloudEvents JSON form, with the attributes that ingest added", async () => {
    const found = await roundTrip({
      subject: "sub",
      dataschema: "https://example.com/schema",
      datacontenttype: "application/json",
      extensions: { traceid: "abc", sampled: false, weight: -3 },
      data: { a: [1, null] },
    });

    expect(parsed(found)).toEqual({
      specversion: "1.0",
      id: "1",
      source: "/s",
      type: "com.example.sample",
      subject: "sub",
      time: "2026-11-21T09:29:59.123Z",
      dataschema: "https://example.com/schema",
      datacontenttype: "application/json",
      traceid: "abc",
      sampled: false,
      weight: -3,
      tenant: "default",
      receivedat: "2026-11-21T09:30:00.000Z",
      data: { a: [1, null] },
    });
  });

  it("has no attribute that was not sent", async () => {
    expect(Object.keys(parsed(await roundTrip({}))).toSorted()).toEqual(
      ["specversion", "id", "source", "type", "time", "tenant", "receivedat"].toSorted(),
    );
  });

  it("has the data null when that was sent, with every null inside", async () => {
    expect(parsed(await roundTrip({ data: null }))).toHaveProperty("data", null);
    expect(parsed(await roundTrip({ id: "2", data: { a: null } }))).toHaveProperty("data", { a: null });
  });

  it.each([
    "2026-11-21T09:30:00.123Z",
    "2026-11-21T09:30:00Z",
    "2026-11-21T09:30Z",
    "2026-11-21T09:30:00.1Z",
    "2026-11-21T09:30:00.123456789Z",
    "2026-11-21T09:30:00.9999999Z",
    "2026-11-21T15:00:00.000+05:30",
    "2026-11-21T09:30:00.000+00:00",
    "2026-11-21T09:30:00.000-00:00",
    "0001-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00.000+15:59",
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59.999999999-15:59",
    "2024-02-29T23:59:59.999Z",
    "2026-11-21t09:30:00.123z",
    "2026-11-21t09:30:00.5+05:30",
    "2016-12-31T23:59:60.000Z",
    "2016-12-31T23:59:60.999999999Z",
    "1990-12-31T15:59:60-08:00",
    "9999-12-31T23:59:60Z",
  ])("has its time %s verbatim", async (time) => {
    expect(parsed(await roundTrip({ time }))).toMatchObject({ time });
  });

  it("has every canonical time verbatim", async () => {
    const times = fc.date({
      min: new Date("0001-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    });
    let id = 0;
    await fc.assert(
      fc.asyncProperty(times, async (date) => {
        const time = date.toISOString();

        expect(parsed(await roundTrip({ id: `canonical${id++}`, time }))).toMatchObject({ time });
      }),
      { numRuns: 30 },
    );
  });

  it("keeps extensions whose text looks like the JSON around them", async () => {
    const extensions = { a: "}", b: "{", c: '","data":1}', d: "{}", e: '"', f: "\\" };

    expect(parsed(await roundTrip({ extensions }))).toMatchObject(extensions);
  });

  it("keeps a single extension that ends in a brace", async () => {
    expect(parsed(await roundTrip({ extensions: { a: "{}}" }, data: {} }))).toMatchObject({ a: "{}}", data: {} });
  });

  it("keeps every digit of its numbers", async () => {
    const found = await roundTrip({ data: parseLossless('{"n":[12345678901234567890,1.5]}').lossless });

    expect(found).toMatchObject({ json: expect.stringContaining('"data":{"n": [12345678901234567890, 1.5]}') });
  });

  it("comes back equal, whatever its data", async () => {
    let id = 0;
    await fc.assert(
      fc.asyncProperty(jsonData, async (data) => {
        expect(parsed(await roundTrip({ id: `any${id++}`, data }))["data"]).toEqual(data);
      }),
      { numRuns: 60 },
    );
  });
});

describe("an event larger than a result row", () => {
  const ROOM = EVENT_MAX_BYTES - 200;
  const filled = (item: string) =>
    `[${Array.from({ length: Math.floor(ROOM / (item.length + 1)) }, () => item).join(",")}]`;
  const nested = (inside: string) => "[".repeat(EVENT_MAX_DEPTH) + inside + "]".repeat(EVENT_MAX_DEPTH);

  it.each([
    ["64 KiB of text", JSON.stringify("x".repeat(65_536))],
    ["quotes", JSON.stringify('"'.repeat(ROOM / 2))],
    ["backslashes", JSON.stringify("\\".repeat(ROOM / 2))],
    ["control characters", JSON.stringify("\u0001".repeat(Math.floor(ROOM / 6)))],
    ["characters of four bytes", JSON.stringify("\u{1f680}".repeat(ROOM / 4))],
    ["characters of one and four bytes", JSON.stringify("x\u{1f680}".repeat(Math.floor(ROOM / 5)))],
    ["small numbers", filled("1")],
    ["empty objects", filled("{}")],
    ["short members", filled('{"a":1}')],
    ["deep nesting", nested(JSON.stringify("y".repeat(ROOM - 2 * EVENT_MAX_DEPTH - 2)))],
    ["numbers with many digits", filled("1".repeat(1_000))],
  ])("comes back equal when it is made of %s", async (_what, json) => {
    expect(Buffer.byteLength(json)).toBeGreaterThan(65_536 - 1);
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(EVENT_MAX_BYTES);
    const { lossless } = parseLossless(json);

    const found = await roundTrip({ data: lossless });

    const text = found.kind === "found" ? found.json : found.kind;
    const data = text.slice(text.indexOf('"data":') + '"data":'.length, -1);
    // Compared as text, because a failure would print a quarter of a megabyte.
    expect(JSON.stringify(parseLossless(data).lossless) === json).toBe(true);
  });

  it("comes back equal with the longest attributes beside it", async () => {
    const extensions = Object.fromEntries(
      Array.from({ length: EXTENSIONS_MAX }, (_, i) => [`e${i}`, '"'.repeat(EXTENSION_VALUE_MAX_BYTES)]),
    );
    const source = "\u{1f680}".repeat(SOURCE_MAX_BYTES / 4);
    const data = "\u{1f680}".repeat(40_000);

    const found = parsed(await roundTrip({ source, extensions, data }));

    expect(found).toMatchObject({ ...extensions, source });
    expect(found["data"] === data).toBe(true);
  });
});

describe("an id", () => {
  it("that is not stored is absent", async () => {
    await store.store([storable({ id: "1" })], soon());

    expect(await find("2")).toEqual({ kind: "absent" });
    expect(await find("")).toEqual({ kind: "absent" });
    expect(await find("1", { source: "/other" })).toEqual({ kind: "absent" });
    expect(await find("1", { source: "" })).toEqual({ kind: "absent" });
  });

  it("of another tenant is absent", async () => {
    await store.store([storable({ id: "1" }, { tenant: "other" })], soon());

    expect(await find("1")).toEqual({ kind: "absent" });
    expect(await find("1", { source: "/s" })).toEqual({ kind: "absent" });
    expect(parsed(await find("1", { tenant: "other" }))).toMatchObject({ tenant: "other" });
  });

  it("whose event is no longer retained is absent", async () => {
    await store.store([storable({ id: "1" })], soon());
    await db.ask("delete from events");

    expect(await find("1")).toEqual({ kind: "absent" });
  });

  it("that several sources used is ambiguous with their names, and found with one of them", async () => {
    await store.store(
      ["/c", "/a", "/B"].map((source) => storable({ source, data: source })),
      soon(),
    );

    expect(await find("1")).toEqual({ kind: "ambiguous", sources: ["/B", "/a", "/c"] });
    expect(parsed(await find("1", { source: "/a" }))).toMatchObject({ source: "/a", data: "/a" });
  });

  it("is not ambiguous because another tenant used it too", async () => {
    await store.store([storable(), storable({ source: "/other" }, { tenant: "other" })], soon());

    expect(parsed(await find("1"))).toMatchObject({ source: "/s", tenant: "default" });
  });

  it("that many sources used names the first 20 of them", async () => {
    const sources = Array.from({ length: 25 }, (_, i) => `/${String(i).padStart(2, "0")}`);
    await store.store(
      sources.toReversed().map((source) => storable({ source, data: "x".repeat(40_000) })),
      soon(),
    );

    expect(await find("1")).toEqual({ kind: "ambiguous", sources: sources.slice(0, 20) });
  });

  it.each(["a/b?c=d&e", "\u{1f680}\ufffe", "' or true --", ":name", "%", "a\nb"])("may be any text: %j", async (id) => {
    expect(parsed(await roundTrip({ id, source: id }))).toMatchObject({ id, source: id });
    expect(parsed(await find(id, { source: id }))).toMatchObject({ id });
  });
});

describe("a database that does not answer", () => {
  it("is a DatabaseError to try again, never an absent event", async () => {
    await store.store([storable()], soon());
    db.faults.set([{ kind: "error", error: "DatabaseUnavailableException", calls: 3 }]);

    await expect(find("1")).rejects.toMatchObject({ name: "DatabaseError", disposition: "retry" });
    db.faults.clear();
  });
});
