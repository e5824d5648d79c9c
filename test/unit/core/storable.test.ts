import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLossless } from "../../../functions/core/lossless-json.ts";
import { findUnstorable } from "../../../functions/core/storable.ts";

const check = (text: string) => findUnstorable(parseLossless(text).exact);

describe("findUnstorable", () => {
  it("passes JSON of well-formed text, any size of number a double has, and any nesting below the limit", () => {
    const storable = fc
      .json({ maxDepth: 8 })
      .filter((text) => !text.includes("__proto__") && !text.includes("\\u0000"));
    fc.assert(
      fc.property(storable, (text) => {
        expect(check(text)).toBeUndefined();
      }),
    );
  });

  it("finds half of a surrogate pair wherever it stands, as value or key", () => {
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
  ])("judges the number %s", (number, code) => {
    expect(check(number)?.code).toBe(code);
  });

  it("looks no further than its limits, however deep, long or wide a value is", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(200_000)}${"]".repeat(200_000)}`);
    const started = performance.now();

    expect(findUnstorable(deep)?.code).toBe("too_deep");
    expect(findUnstorable({ list: Array.from({ length: 2_000_000 }, () => 0) })?.code).toBe("event_too_large");
    expect(findUnstorable({ text: "x".repeat(4_000_000) })?.code).toBe("event_too_large");
    expect(findUnstorable({ ["~".repeat(200_000)]: "\u0000" })?.path.length).toBeLessThan(520);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it("points at the place with an escaped JSON Pointer", () => {
    expect(check('{"a/b":{"c~d":["\\u0000"]}}')?.path).toBe("/a~1b/c~0d/0");
  });
});
