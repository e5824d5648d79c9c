import { describe, expect, it } from "vitest";
import { catalog } from "../../../functions/adapters/catalog/catalog.ts";
import {
  DATACONTENTTYPE_MAX_BYTES,
  DATASCHEMA_MAX_BYTES,
  EVENT_MAX_BYTES,
  EVENT_MAX_DEPTH,
  EXTENSION_VALUE_MAX_BYTES,
  ID_MAX_BYTES,
  SOURCE_MAX_BYTES,
  SUBJECT_MAX_BYTES,
  TYPE_MAX_BYTES,
} from "../../../functions/core/limits.ts";
import { parseLossless } from "../../../functions/core/lossless-json.ts";
import { validate } from "../../../functions/ingest/validate.ts";
import { NOW, order } from "./support.ts";

function judge(event: unknown, unknownTypes: "accept" | "refuse" = "accept") {
  const text = typeof event === "string" ? event : JSON.stringify(event);
  return validate({ kind: "event", form: "plain", ...parseLossless(text) }, NOW, {
    catalog,
    unknownTypes,
    newId: () => "made",
  });
}

function faults(event: unknown, unknownTypes?: "accept" | "refuse") {
  const judged = judge(event, unknownTypes);
  return judged.kind === "invalid" ? judged.errors.map(({ path, code }) => [path, code]) : [];
}

const plain = (overrides: Record<string, unknown>) => ({ id: "1", source: "/s", type: "t", data: {}, ...overrides });

describe("validate", () => {
  it("names each field at fault with a JSON Pointer", () => {
    expect(faults({ type: 5, data: null })).toEqual([
      ["/source", "required"],
      ["/type", "invalid_type"],
    ]);
    expect(faults({ source: "/s", type: "t" })).toEqual([["/data", "required"]]);
    expect(
      faults(order("o", { data: { ...order("o").data, items: [{ sku: "", quantity: 0, unitAmount: 1.5 }] } })),
    ).toEqual([
      ["/data/items/0/sku", "too_small"],
      ["/data/items/0/quantity", "too_small"],
      ["/data/items/0/unitAmount", "invalid_type"],
    ]);
  });

  it.each([
    ["com.example.telemetry.reading", { deviceId: "d", sensor: "t", value: 21.5, unit: "Cel" }, { quality: 2 }],
    ["com.example.log.entry", { level: "info", message: "", service: "api" }, { level: "loud" }],
    [
      "com.example.notification.requested",
      { channel: "email", recipient: "a@b.c", template: "hi" },
      { sendAfter: "now" },
    ],
  ])("checks the data of %s against the catalog and keeps fields the schema does not name", (type, data, fault) => {
    expect(judge(plain({ type, data: { ...data, extra: { kept: true } } }))).toMatchObject({
      kind: "valid",
      event: { data: { ...data, extra: { kept: true } } },
    });
    expect(judge(plain({ type, data: { ...data, ...fault } })).kind).toBe("invalid");
  });

  it("accepts or refuses an unknown type as configured, naming the known ones", () => {
    expect(judge(plain({})).kind).toBe("valid");
    expect(judge(plain({}), "refuse")).toMatchObject({
      errors: [{ path: "/type", code: "unknown_type", message: expect.stringContaining("com.example.order.placed") }],
    });
  });

  it("takes id and source up to their limits in bytes of UTF-8", () => {
    expect(judge(plain({ id: "é".repeat(ID_MAX_BYTES / 2), source: "s".repeat(SOURCE_MAX_BYTES) })).kind).toBe("valid");
    expect(faults(plain({ id: `${"é".repeat(ID_MAX_BYTES / 2)}x` }))).toEqual([["/id", "too_big"]]);
    expect(faults(plain({ source: "s".repeat(SOURCE_MAX_BYTES + 1) }))).toEqual([["/source", "too_big"]]);
  });

  it.each([
    ["id", ID_MAX_BYTES],
    ["source", SOURCE_MAX_BYTES],
    ["type", TYPE_MAX_BYTES],
    ["subject", SUBJECT_MAX_BYTES],
    ["dataschema", DATASCHEMA_MAX_BYTES],
    ["datacontenttype", DATACONTENTTYPE_MAX_BYTES],
    ["extension", EXTENSION_VALUE_MAX_BYTES],
  ])("takes a %s of one to %i bytes and refuses none and one more", (name, most) => {
    const sized = (bytes: number) => faults(plain({ [name]: "x".repeat(bytes) })).map(([path]) => path);

    expect([sized(1), sized(most - 1), sized(most)]).toEqual([[], [], []]);
    expect([sized(0), sized(most + 1)]).toEqual([[`/${name}`], [`/${name}`]]);
  });

  it("takes as many extension attributes as are allowed, with names as long as allowed", () => {
    const extended = (count: number, length: number) =>
      faults(plain(Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`.padEnd(length, "y"), i]))));

    expect([extended(31, 20), extended(32, 20)]).toEqual([[], []]);
    expect(extended(33, 20)).toEqual([["", "too_big"]]);
    expect(extended(1, 21)).toEqual([["/x0yyyyyyyyyyyyyyyyyyy", "unknown_attribute"]]);
  });

  it("takes an event up to its size limit and refuses one byte more", () => {
    const sized = (extra: number) => {
      const rest = EVENT_MAX_BYTES - Buffer.byteLength(JSON.stringify(plain({ data: { pad: "" } })));
      return plain({ data: { pad: "é".repeat(1_000) + "x".repeat(rest - 2_000 + extra) } });
    };

    expect(faults(sized(0))).toEqual([]);
    expect(faults(sized(1))).toEqual([["", "event_too_large"]]);
  });

  it("takes the deepest data and refuses one level more", () => {
    // The event is the first level, so its data has one less.
    const nested = (levels: number) =>
      `{"id":"1","source":"/s","type":"t","data":${"[".repeat(levels)}${"]".repeat(levels)}}`;

    expect(faults(nested(EVENT_MAX_DEPTH - 1))).toEqual([]);
    expect(judge(nested(EVENT_MAX_DEPTH))).toMatchObject({ errors: [{ code: "too_deep" }] });
  });

  it("refuses what PostgreSQL cannot store, naming the place", () => {
    expect(faults('{"id":"1","source":"/s","type":"t","data":{"a":["\\u0000"]}}')).toEqual([
      ["/data/a/0", "unstorable_text"],
    ]);
    expect(faults('{"id":"1","source":"/s","type":"t","data":{"a":"\\ud800"}}')).toEqual([
      ["/data/a", "unstorable_text"],
    ]);
    expect(faults('{"id":"1","source":"/s","type":"t","data":{"\\u0000":1}}')).toEqual([["/data", "unstorable_text"]]);
    expect(faults('{"id":"1","source":"/s","type":"t","data":{"__proto__":1}}')).toEqual([["/data", "unstorable_key"]]);
    expect(faults('{"id":"1","source":"/s","type":"t","data":1e400000}')).toEqual([["/data", "number_out_of_range"]]);
  });

  it("refuses many small numbers that would be too long to read when written out", () => {
    const data = Array.from({ length: 2_000 }, () => "1e308").join(",");

    expect(faults(`{"id":"1","source":"/s","type":"t","data":[${data}]}`)).toEqual([["", "event_too_large"]]);
  });

  it("refuses a top-level name that is neither attribute nor extension, __proto__ among them", () => {
    expect(faults('{"id":"1","source":"/s","type":"t","data":1,"__proto__":{"admin":true}}')).toEqual([
      ["", "unstorable_key"],
    ]);
    expect(faults(plain({ tenant: "mine" }))).toEqual([["/tenant", "unknown_attribute"]]);
    expect(faults(plain({ Data: 1 }))).toEqual([["/Data", "unknown_attribute"]]);
    expect(faults(plain({ nested: {} }))).toEqual([["/nested", "invalid_union"]]);
  });

  it.each([
    "yesterday",
    "2026-02-30T00:00:00Z",
    "2026-11-21",
    "0000-01-01T00:00:00Z",
    "2026-11-21T00:00:00+16:00",
    "2026-11-21T00:00:00",
  ])("refuses the time %s", (time) => {
    expect(faults(plain({ time })).map(([path]) => path)).toContain("/time");
  });

  it.each([
    "2026-11-21T09:30:00Z",
    "2026-11-21T09:30:00.123456789+05:30",
    "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00Z",
  ])("keeps the time %s letter for letter", (time) => {
    expect(judge(plain({ time }))).toMatchObject({ event: { time } });
  });

  it("judges a hostile value in bounded time and with a bounded answer", () => {
    const started = performance.now();
    const wide = order("o", { data: { ...order("o").data, items: Array.from({ length: 80_000 }, () => ({})) } });
    const judgements = [
      judge(wide),
      judge(plain({ ["~".repeat(100_000)]: 1 })),
      judge(plain({ id: "x".repeat(200_000) })),
    ];

    expect(judgements.map(({ kind }) => kind)).toEqual(["invalid", "invalid", "invalid"]);
    expect(JSON.stringify(judgements).length).toBeLessThan(10_000);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it("takes no extension for an integer that only looks like one in a double", () => {
    const extended = (number: string) => faults(`{"id":"1","source":"/s","type":"t","data":1,"n":${number}}`);

    expect(["1", "2147483647", "-2147483648"].map(extended)).toEqual([[], [], []]);
    for (const number of ["1.0000000000000000001", "1e-400", "2147483647.0000000001", "2147483648", "1.5"]) {
      expect(
        extended(number).map(([path]) => path),
        number,
      ).toEqual(["/n"]);
    }
  });

  it.each([".", ".."])("refuses the id %s, which no URL can name", (id) => {
    expect(faults(plain({ id }))).toEqual([["/id", "custom"]]);
  });

  it("states how many errors it does not list", () => {
    const items = Array.from({ length: 15 }, () => ({ sku: "", quantity: 0, unitAmount: 1 }));
    const judged = judge(order("o", { data: { ...order("o").data, items } }));

    expect(judged.kind === "invalid" && judged.errors).toHaveLength(21);
    expect(judged).toMatchObject({
      errors: expect.arrayContaining([{ path: "", code: "more_errors", message: "and 10 more errors" }]),
    });
  });

  it("keeps every digit of data on the way to the queue", () => {
    const judged = judge(
      '{"id":"1","source":"/s","type":"t","data":[12345678901234567890,1.5,0.10000000000000000555]}',
    );

    expect(judged.kind === "valid" && judged.json()).toContain(
      '"data":[12345678901234567890,1.5,0.10000000000000000555]',
    );
  });
});
