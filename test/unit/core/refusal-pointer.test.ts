import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonPointer } from "../../../functions/core/json-pointer.ts";
import { FAULT_PATH_MAX_CHARACTERS } from "../../../functions/core/limits.ts";
import { REFUSAL_NAME_MAX_CHARACTERS, REFUSAL_POINTER_MAX_CHARACTERS } from "../../../functions/core/refusal-limits.ts";
import { toRefusalPointer } from "../../../functions/core/refusal-pointer.ts";

describe("the pointer of a group of refusals", () => {
  it.each([
    ["", ""],
    ["/data", "/data"],
    ["/data/items/0/sku", "/data/items/*/sku"],
    ["/data/items/12", "/data/items/*"],
    ["/data/sha256", "/data/sha256"],
    ["/data/unit_price-eur/$ref", "/data/unit_price-eur/$ref"],
    ["/data/straße", "/data/straße"],
    ["/data/", "/data/*"],
    ["/data/a~1b", "/data/*"],
    ["/data/jane@example.com/age", "/data/*/age"],
    ["/data/order-10432/age", "/data/*/age"],
    ["/data/AKIAIOSFODNN7EXAMPLE", "/data/*"],
    ["/data/sk_live_abcdefghij", "/data/*"],
    ["/data/__proto__", "/data/*"],
    [`/data/${"a".repeat(REFUSAL_NAME_MAX_CHARACTERS)}`, `/data/${"a".repeat(REFUSAL_NAME_MAX_CHARACTERS)}`],
    [`/data/${"a".repeat(REFUSAL_NAME_MAX_CHARACTERS + 1)}`, "/data/*"],
  ])("of the place %j is %j", (place, pointer) => {
    expect(toRefusalPointer(place)).toBe(pointer);
  });

  it("is cut at a key where marks for empty keys would make it longer than a place may be", () => {
    const place = jsonPointer([
      "data",
      ...Array.from({ length: 5 }, () => "a".repeat(40)),
      ...Array<string>(50).fill(""),
    ]);

    const pointer = toRefusalPointer(place);

    expect(pointer).toMatch(/\/\*$/);
    expect(pointer.length).toBeGreaterThan(REFUSAL_POINTER_MAX_CHARACTERS - 2);
    expect(pointer.length).toBeLessThanOrEqual(REFUSAL_POINTER_MAX_CHARACTERS);
    expect(toRefusalPointer(pointer)).toBe(pointer);
  });

  it("is its own pointer, and no longer than the place, whatever the keys are", () => {
    const key = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.nat().map(String),
      fc.constantFrom("a", "data", "*", "~", "/"),
    );
    fc.assert(
      fc.property(fc.array(key, { maxLength: 80 }), (path) => {
        const pointer = toRefusalPointer(jsonPointer(path));

        expect(toRefusalPointer(pointer)).toBe(pointer);
        expect(pointer.length).toBeLessThanOrEqual(FAULT_PATH_MAX_CHARACTERS + 1);
      }),
    );
  });
});
