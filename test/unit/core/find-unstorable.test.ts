import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVENT_MAX_BYTES, EVENT_MAX_DEPTH } from "../../../functions/core/limits.ts";
import { parseLossless } from "../../../functions/core/lossless-json.ts";
import { findUnstorable } from "../../../functions/core/find-unstorable.ts";

const check = (text: string) => findUnstorable(parseLossless(text).lossless);

describe("findUnstorable", () => {
  it("accepts JSON with well-formed text, numbers of any double, and nesting below the limit", () => {
    const storable = fc
      .json({ maxDepth: 8 })
      .filter((text) => !text.includes("__proto__") && !text.includes("\\u0000"));
    fc.assert(
      fc.property(storable, (text) => {
        expect(check(text)).toBeUndefined();
      }),
    );
  });

  it("agrees with the scan of a text: a verbatim-safe text is storable and its value has no more bytes", () => {
    const number = fc.stringMatching(/^-?(0|[1-9]\d{0,17})(\.\d{1,17})?([eE][+-]?\d{1,4})?$/);
    const string = fc
      .array(
        fc.constantFrom(
          "a",
          "é",
          "\u{1F600}",
          "\uFFFE",
          "\uFFFF",
          "\\n",
          "\\/",
          '\\"',
          "\\\\",
          "\\u0000",
          "\\ud800",
          "\\u0041",
          "\\u00e9",
          "\\u2028",
          "\\uFFFE",
          "\\uffff",
          "\\uD83D\\uDE00",
          "\\u005f_proto__",
          "__proto__",
        ),
      )
      .map((parts) => `"${parts.join("")}"`);
    const { json } = fc.letrec<{ json: string }>((tie) => ({
      json: fc.oneof(
        { depthSize: "small" },
        fc.oneof(number, string, fc.constantFrom("true", "null", " 0 ")),
        fc.array(tie("json"), { maxLength: 4 }).map((members) => `[${members.join(", ")}]`),
        fc
          .array(fc.tuple(string, tie("json")), { maxLength: 4 })
          .map((all) => `{${all.map((each) => each.join(":")).join()}}`),
      ),
    }));
    let safeTexts = 0;
    fc.assert(
      fc.property(json, (text) => {
        const { isVerbatimSafe, lossless, commas } = parseLossless(text);
        if (Array.isArray(lossless) && lossless.length > 0) {
          const ends = [...commas, text.lastIndexOf("]")];
          const elements = ends.map((end, at) => text.slice((ends[at - 1] ?? text.indexOf("[")) + 1, end));
          expect(elements.map((each) => parseLossless(each).lossless)).toEqual(lossless);
        }
        if (!isVerbatimSafe) return;
        safeTexts += 1;
        expect(JSON.stringify(lossless)).not.toMatch(/[\uFFFE\uFFFF]/);
        expect(findUnstorable(lossless)).toBeUndefined();
        expect(findUnstorable([lossless, "x".repeat(EVENT_MAX_BYTES - Buffer.byteLength(text) - 5)])).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
    expect(safeTexts).toBeGreaterThan(100);
  });

  it("finds half of a surrogate pair in any value or key", () => {
    const halves = fc.integer({ min: 0xd800, max: 0xdfff }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), halves, fc.boolean(), (text, half, asKey) => {
        const bad = `${text.replaceAll("\u0000", "")}${half}.`;
        const value = asKey ? { deep: [{ [bad]: 1 }] } : { deep: [bad] };
        expect(findUnstorable(value)?.code).toBe("unstorable_text");
      }),
    );
  });

  it.each([
    [`1${"0".repeat(1_099)}`, undefined],
    [`1${"0".repeat(1_100)}`, "number_out_of_range"],
    ["1e1099", undefined],
    ["1e1100", "number_out_of_range"],
    ["1e-1099", undefined],
    ["1e-1100", "number_out_of_range"],
    ["1e131071", "number_out_of_range"],
    ["1e99999999999", "number_out_of_range"],
  ])("checks the digits of the number %s", (number, code) => {
    expect(check(number)?.code).toBe(code);
  });

  it("ends at its limits, however deep, long or wide a value is", () => {
    let reads = 0;
    const endless = () => ({
      get member() {
        reads += 1;
        return endless();
      },
    });
    const wide = new Proxy(
      Array.from({ length: 2_000_000 }, () => 0),
      {
        get(list, index, receiver) {
          if (index !== "length") reads += 1;
          return Reflect.get(list, index, receiver) as unknown;
        },
      },
    );
    const readsOf = (value: unknown) => {
      reads = 0;
      return { code: findUnstorable(value)?.code, reads };
    };

    expect(readsOf(endless())).toEqual({ code: "too_deep", reads: EVENT_MAX_DEPTH });
    expect(readsOf({ list: wide })).toEqual({ code: "event_too_large", reads: 1 });
    expect(findUnstorable({ text: "x".repeat(4_000_000) })?.code).toBe("event_too_large");
    expect(findUnstorable({ ["~".repeat(200_000)]: "\u0000" })?.path.length).toBeLessThan(520);
  });

  it("reads each member of a value once", () => {
    let reads = 0;
    const items = Array.from({ length: 10_000 }, () => ({
      get n() {
        reads += 1;
        return 1;
      },
    }));

    expect(findUnstorable({ items })).toBeUndefined();

    expect(reads).toBe(items.length);
  });

  it("names the place with an escaped JSON Pointer", () => {
    expect(check('{"a/b":{"c~d":["\\u0000"]}}')?.path).toBe("/a~1b/c~0d/0");
  });
});
