import { describe, expect, it } from "vitest";
import * as z from "zod";
import * as mini from "zod/mini";
import { toCatalog } from "../../../functions/core/catalog.ts";
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
  VERDICT_MAX_ERRORS,
} from "../../../functions/core/limits.ts";
import { parseLossless } from "../../../functions/core/lossless-json.ts";
import { validate } from "../../../functions/core/validate.ts";
import { toJson } from "../../../functions/core/verbatim.ts";
import { catalog } from "./catalog.ts";
import { NOW, order } from "./support.ts";

/** The compiled check, and the parse of an invalid value for its issues. */
const READS_OF_A_MEMBER_MAX = 4;

type Policy = "accept" | "refuse";

function validateText(
  event: unknown,
  unknownTypes: Policy = "accept",
  unknownVersions: Policy = "refuse",
  types = catalog,
) {
  const text = typeof event === "string" ? event : JSON.stringify(event);
  return validate(
    { kind: "event", form: "plain", ...parseLossless(text) },
    { tenant: "default", receivedAt: NOW },
    {
      catalog: types,
      unknownTypes,
      unknownVersions,
      newId: () => "generated",
    },
  );
}

function errorsOf(event: unknown, unknownTypes?: Policy) {
  const result = validateText(event, unknownTypes);
  return result.kind === "invalid" ? result.errors.map(({ path, code }) => [path, code]) : [];
}

const plain = (overrides: Record<string, unknown>) => ({ id: "1", source: "/s", type: "t", data: {}, ...overrides });

describe("validate", () => {
  it("leaves the attributes that Sluice added out of an event that was read and is sent again", () => {
    const read = { ...plain({ mine: "x" }), time: NOW, tenant: "default", receivedat: NOW };

    const result = validateText(read);

    expect(result).toMatchObject({ kind: "valid", isComplete: false, event: { extensions: { mine: "x" } } });
    expect(result.kind === "valid" && Object.keys(result.event.extensions ?? {})).toEqual(["mine"]);
  });

  it("never sends an event with Sluice's own attributes verbatim", () => {
    const result = validateText({ ...plain({}), time: NOW, tenant: "default", receivedat: NOW });

    expect(result.kind === "valid" && JSON.parse(toJson(result))).toEqual(plain({ time: NOW }));
  });
  it("names each invalid field with a JSON Pointer", () => {
    expect(errorsOf({ type: 5, data: null })).toEqual([
      ["/source", "required"],
      ["/type", "invalid_type"],
    ]);
    expect(errorsOf({ source: "/s", type: "t" })).toEqual([["/data", "required"]]);
    expect(
      errorsOf(order("o", { data: { ...order("o").data, items: [{ sku: "", quantity: 0, unitAmount: 1.5 }] } })),
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
  ])("checks the data of %s against the catalog and keeps fields the schema does not name", (type, data, change) => {
    expect(validateText(plain({ type, data: { ...data, extra: { kept: true } } }))).toMatchObject({
      kind: "valid",
      event: { data: { ...data, extra: { kept: true } } },
    });
    expect(validateText(plain({ type, data: { ...data, ...change } })).kind).toBe("invalid");
  });

  it("checks data by a schema of zod/mini as by one of zod", () => {
    const data = mini.object({ n: mini.string() }) as unknown as z.ZodType;
    const small = toCatalog([{ file: "catalog/small.ts", type: "small", data }]);
    const check = (n: unknown) => validateText(plain({ type: "small", data: { n } }), "accept", "refuse", small);

    expect(check("text")).toMatchObject({ kind: "valid", isUnchecked: false });
    expect(check(1)).toMatchObject({
      errors: [{ path: "/data/n", code: "invalid_type", message: "Invalid input: expected string, received number" }],
    });
  });

  it("accepts or refuses an unknown type as configured, naming the known ones", () => {
    expect(validateText(plain({}))).toMatchObject({ kind: "valid", isUnchecked: true });
    expect(validateText(order("o"))).toMatchObject({ kind: "valid", isUnchecked: false });
    expect(validateText(plain({}), "refuse")).toMatchObject({
      errors: [{ path: "/type", code: "unknown_type", message: expect.stringContaining("com.example.order.placed") }],
    });
  });

  it.each<Policy>(["accept", "refuse"])(
    "refuses an unknown version of a known type, naming the known versions, where the stage says %s to unknown types",
    (unknownTypes) => {
      expect(validateText(order("o", { dataschema: "order-placed/2" }), unknownTypes)).toMatchObject({
        kind: "invalid",
        errors: [
          {
            path: "/dataschema",
            code: "unknown_version",
            message: expect.stringContaining("https://schemas.example.com/order-placed/1"),
          },
        ],
      });
    },
  );

  it("accepts an unknown version unchecked where the stage says so", () => {
    const event = order("o", { dataschema: "order-placed/2", data: {} });

    expect(validateText(event, "refuse", "accept")).toMatchObject({ kind: "valid", isUnchecked: true });
  });

  it("reports a dataschema that is no string as that alone", () => {
    expect(errorsOf(order("o", { dataschema: 2 }))).toEqual([["/dataschema", "invalid_type"]]);
  });

  it("accepts id and source up to their limits in bytes of UTF-8", () => {
    expect(validateText(plain({ id: "é".repeat(ID_MAX_BYTES / 2), source: "s".repeat(SOURCE_MAX_BYTES) })).kind).toBe(
      "valid",
    );
    expect(errorsOf(plain({ id: `${"é".repeat(ID_MAX_BYTES / 2)}x` }))).toEqual([["/id", "too_big"]]);
    expect(errorsOf(plain({ source: "s".repeat(SOURCE_MAX_BYTES + 1) }))).toEqual([["/source", "too_big"]]);
  });

  it.each([
    ["id", ID_MAX_BYTES],
    ["source", SOURCE_MAX_BYTES],
    ["type", TYPE_MAX_BYTES],
    ["subject", SUBJECT_MAX_BYTES],
    ["dataschema", DATASCHEMA_MAX_BYTES],
    ["datacontenttype", DATACONTENTTYPE_MAX_BYTES],
    ["extension", EXTENSION_VALUE_MAX_BYTES],
  ])("accepts a %s of one to %i bytes and refuses none and one more", (name, most) => {
    const sized = (bytes: number) => errorsOf(plain({ [name]: "x".repeat(bytes) })).map(([path]) => path);

    expect([sized(1), sized(most - 1), sized(most)]).toEqual([[], [], []]);
    expect([sized(0), sized(most + 1)]).toEqual([[`/${name}`], [`/${name}`]]);
  });

  it("accepts the maximum number of extension attributes with names of the maximum length", () => {
    const extended = (count: number, length: number) =>
      errorsOf(plain(Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`.padEnd(length, "y"), i]))));

    expect([extended(31, 64), extended(32, 64)]).toEqual([[], []]);
    expect(extended(33, 64)).toEqual([["", "too_big"]]);
    expect(extended(1, 65)).toEqual([[`/x0${"y".repeat(63)}`, "unknown_attribute"]]);
  });

  it.each(["knativekafkapartition", "iodebeziumtxtotalorder"])(
    "accepts %s, a name that a real producer sends",
    (name) => {
      expect(errorsOf(plain({ [name]: "1" }))).toEqual([]);
    },
  );

  it("accepts an event up to its size limit and refuses one byte more", () => {
    const sized = (extra: number) => {
      const rest = EVENT_MAX_BYTES - Buffer.byteLength(JSON.stringify(plain({ data: { pad: "" } })));
      return plain({ data: { pad: "é".repeat(1_000) + "x".repeat(rest - 2_000 + extra) } });
    };

    expect(errorsOf(sized(0))).toEqual([]);
    expect(errorsOf(sized(1))).toEqual([["", "event_too_large"]]);
  });

  it("accepts the deepest data and refuses one level more", () => {
    // The event is the first level, so its data has one less.
    const nested = (levels: number) =>
      `{"id":"1","source":"/s","type":"t","data":${"[".repeat(levels)}${"]".repeat(levels)}}`;

    expect(errorsOf(nested(EVENT_MAX_DEPTH - 1))).toEqual([]);
    expect(validateText(nested(EVENT_MAX_DEPTH))).toMatchObject({ errors: [{ code: "too_deep" }] });
  });

  it("refuses what PostgreSQL cannot store, naming the place", () => {
    expect(errorsOf('{"id":"1","source":"/s","type":"t","data":{"a":["\\u0000"]}}')).toEqual([
      ["/data/a/0", "unstorable_text"],
    ]);
    expect(errorsOf('{"id":"1","source":"/s","type":"t","data":{"a":"\\ud800"}}')).toEqual([
      ["/data/a", "unstorable_text"],
    ]);
    expect(errorsOf('{"id":"1","source":"/s","type":"t","data":{"\\u0000":1}}')).toEqual([
      ["/data", "unstorable_text"],
    ]);
    expect(errorsOf('{"id":"1","source":"/s","type":"t","data":{"__proto__":1}}')).toEqual([
      ["/data", "unstorable_key"],
    ]);
    expect(errorsOf('{"id":"1","source":"/s","type":"t","data":1e400000}')).toEqual([["/data", "number_out_of_range"]]);
  });

  it("refuses many short numbers that are too large when written out", () => {
    const data = Array.from({ length: 2_000 }, () => "1e308").join(",");

    expect(errorsOf(`{"id":"1","source":"/s","type":"t","data":[${data}]}`)).toEqual([["", "event_too_large"]]);
  });

  it("refuses a top-level name that is neither an attribute nor a valid extension, such as __proto__", () => {
    expect(errorsOf('{"id":"1","source":"/s","type":"t","data":1,"__proto__":{"admin":true}}')).toEqual([
      ["", "unstorable_key"],
    ]);
    expect(errorsOf(plain({ tenant: "mine" }))).toEqual([["/tenant", "unknown_attribute"]]);
    expect(errorsOf(plain({ receivedat: "yesterday" }))).toEqual([["/receivedat", "unknown_attribute"]]);
    expect(errorsOf(plain({ Data: 1 }))).toEqual([["/Data", "unknown_attribute"]]);
    expect(errorsOf(plain({ nested: {} }))).toEqual([["/nested", "invalid_union"]]);
  });

  it.each([
    "yesterday",
    "2026-02-30T00:00:00Z",
    "2026-11-21",
    "0000-01-01T00:00:00Z",
    "2026-11-21T00:00:00+16:00",
    "2026-11-21T00:00:00",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-11-00T00:00:00Z",
    "2026-11-31T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-11-21T24:00:00Z",
    "2026-11-21T09:60:00Z",
    "2026-11-21T09:30Z",
    "2026-11-21 09:30:00Z",
    "2026-11-21T09:30:00,5Z",
    "2026-11-21T09:30:00.Z",
    "2026-11-21T09:30:00+0100",
    "2026-11-21T09:30:00Z ",
    "2026-11-21T09:30:61Z",
    "2026-11-21T09:30:60Z",
    "2026-11-30T22:59:60Z",
    "2026-12-30T23:59:60Z",
    "2026-12-31T23:59:60+01:00",
  ])("refuses the time %s", (time) => {
    expect(errorsOf(plain({ time }))).toContainEqual(["/time", "invalid_format"]);
  });

  it("says of a bad time what is accepted", () => {
    expect(validateText(plain({ time: "2026-11-21T09:30:60Z" }))).toMatchObject({
      errors: [
        {
          path: "/time",
          code: "invalid_format",
          message: expect.stringMatching(/RFC 3339.*60 only at the end of a month/),
        },
      ],
    });
  });

  it.each([
    "2026-11-21T09:30:00Z",
    "2026-11-21T09:30:00.123456789+05:30",
    "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00Z",
    "2024-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z",
    "2026-11-21t09:30:00z",
    "2026-11-21t09:30:00.5+05:30",
    "2016-12-31T23:59:60Z",
    "2016-12-31t23:59:60.999z",
    "2015-06-30T23:59:60-00:00",
    "1990-12-31T15:59:60-08:00",
    "2017-01-01T05:29:60.25+05:30",
    "9999-12-31T23:59:60Z",
  ])("keeps the time %s verbatim", (time) => {
    expect(validateText(plain({ time }))).toMatchObject({ event: { time } });
  });

  it.each(["2026-11-21t09:30:00z", "2016-12-31T23:59:60Z"])("leaves out a receivedat of %s", (receivedat) => {
    const result = validateText(plain({ receivedat }));

    expect(result).toMatchObject({ kind: "valid", event: { extensions: undefined } });
  });

  it("answers a hostile value with a bounded verdict", () => {
    const wide = order("o", { data: { ...order("o").data, items: Array.from({ length: 80_000 }, () => ({})) } });
    const results = [
      validateText(wide),
      validateText(plain({ ["~".repeat(100_000)]: 1 })),
      validateText(plain({ id: "x".repeat(200_000) })),
    ];

    expect(results.map(({ kind }) => kind)).toEqual(["invalid", "invalid", "invalid"]);
    expect(JSON.stringify(results).length).toBeLessThan(10_000);
  });

  it("reads each member of a hostile value a few times, and writes messages only for the errors that it reports", () => {
    let reads = 0;
    let messages = 0;
    const items = Array.from({ length: 20_000 }, () => ({
      get n() {
        reads += 1;
        return "no number";
      },
    }));
    const number = z.number({
      error: () => {
        messages += 1;
        return "is no number";
      },
    });
    const data = z.object({ items: z.array(z.object({ n: number })) });
    const event = plain({ data: { items } });

    const result = validate(
      { kind: "event", form: "plain", value: event, lossless: { ...event, data: {} } },
      { tenant: "default", receivedAt: NOW },
      {
        catalog: toCatalog([{ file: "catalog/t.ts", type: "t", dataschema: "urn:t", data }]),
        unknownTypes: "accept",
        unknownVersions: "refuse",
        newId: () => "generated",
      },
    );

    expect(result.kind === "invalid" && result.errors.at(-1)?.message).toBe("and 19980 more errors");
    expect(reads).toBeLessThanOrEqual(READS_OF_A_MEMBER_MAX * items.length);
    expect(messages).toBe(VERDICT_MAX_ERRORS);
  });

  it("takes an event of the largest size again once it was read, with the attributes that Sluice added", () => {
    const [empty, added] = [{ id: "1", source: "/s", type: "t", time: NOW, data: "" }, { receivedat: NOW }];
    const padded = (bytes: number) => ({ ...empty, data: "x".repeat(bytes - JSON.stringify(empty).length) });

    expect(errorsOf({ ...padded(EVENT_MAX_BYTES), tenant: "default", ...added })).toEqual([]);
    expect(errorsOf({ ...padded(EVENT_MAX_BYTES + 1), ...added })).toEqual([["", "event_too_large"]]);
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    expect(errorsOf({ ...padded(EVENT_MAX_BYTES), ...added, traceparent })).toEqual([]);
    expect(errorsOf({ ...padded(EVENT_MAX_BYTES), traceparent: `${traceparent} ` })).toEqual([["", "event_too_large"]]);
  });

  it("refuses an extension that is an integer only in a double", () => {
    const extended = (number: string) => errorsOf(`{"id":"1","source":"/s","type":"t","data":1,"n":${number}}`);

    expect(["1", "2147483647", "-2147483648"].map(extended)).toEqual([[], [], []]);
    for (const number of ["1.0000000000000000001", "1e-400", "2147483647.0000000001", "2147483648", "1.5"]) {
      expect(
        extended(number).map(([path]) => path),
        number,
      ).toEqual(["/n"]);
    }
  });

  it.each([".", ".."])("refuses the id %s, which no URL can name", (id) => {
    expect(errorsOf(plain({ id }))).toEqual([["/id", "custom"]]);
  });

  it("states the number of errors that it leaves out", () => {
    const items = Array.from({ length: 15 }, () => ({ sku: "", quantity: 0, unitAmount: 1 }));
    const result = validateText(order("o", { data: { ...order("o").data, items } }));

    expect(result.kind === "invalid" && result.errors).toHaveLength(21);
    expect(result).toMatchObject({
      errors: expect.arrayContaining([{ path: "", code: "more_errors", message: "and 10 more errors" }]),
    });
  });

  it("keeps every digit of data on the way to the queue", () => {
    const result = validateText(
      '{"id":"1","source":"/s","type":"t","data":[12345678901234567890,1.5,0.10000000000000000555]}',
    );

    expect(result.kind === "valid" && toJson(result)).toContain(
      '"data":[12345678901234567890,1.5,0.10000000000000000555]',
    );
  });
});
