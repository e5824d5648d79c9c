import { describe, expect, it } from "vitest";
import { parseFilter } from "../../../../functions/core/filter/filter.ts";
import { neededValues } from "../../../../functions/core/filter/needed-values.ts";
import { toLookup } from "../../../../functions/core/filter/to-lookup.ts";
import { LOOKUP_MAX_KEYS } from "../../../../functions/core/list-limits.ts";
import { parseLossless } from "../../../../functions/core/lossless-json.ts";

const type = { exact: { type: "a" } };
const v = { data: { v: ["x", 1] } };
const forV = { types: ["a"], fields: [{ pointer: "/v", values: ["x", 1] }] };

describe("the lookup of a filter", () => {
  it.each<[string, unknown, unknown]>([
    ["a type and a value", { all: [type, v] }, forV],
    ["a type among other attributes", { all: [{ exact: { type: "a", source: "/s" } }, v] }, forV],
    ["all in all", { all: [{ all: [type] }, { all: [v, { not: v }] }] }, forV],
    ["several types", { all: [{ any: [type, { exact: { type: "b" } }, type] }, v] }, { ...forV, types: ["a", "b"] }],
    [
      "members of members, with escaped names",
      { all: [type, { data: { "a/b": { "~": [null], n: [{ exists: true }] } } }] },
      { types: ["a"], fields: [{ pointer: "/a~1b/~0", values: [null] }] },
    ],
    [
      "several fields, in their order",
      { all: [type, v, { data: { w: [2] } }] },
      { types: ["a"], fields: [...forV.fields, { pointer: "/w", values: [2] }] },
    ],
    [
      "one of several values, each once",
      { all: [type, { any: [v, { data: { v: ["x", "y"], w: [1] } }] }] },
      { types: ["a"], fields: [{ pointer: "/v", values: ["x", 1, "y"] }] },
    ],
    [
      "alternatives that share a field",
      { all: [type, { data: { $or: [{ v: [1] }, { v: [2], w: [3] }] } }] },
      { types: ["a"], fields: [{ pointer: "/v", values: [1, 2] }] },
    ],
    ["a field beside alternatives", { all: [type, { data: { v: ["x", 1], $or: [{ a: [1] }, { b: [1] }] } }] }, forV],
    ["no type", v, undefined],
    ["the beginning of a type", { all: [{ prefix: { type: "a" } }, v] }, undefined],
    ["a type or another attribute", { all: [{ any: [type, { exact: { source: "/s" } }] }, v] }, undefined],
    ["no data", type, undefined],
    ["data that must not match", { all: [type, { not: v }] }, undefined],
    ["an operator beside a value", { all: [type, { data: { v: ["x", { prefix: "y" }] } }] }, undefined],
    ["a value that may be missing", { all: [type, { data: { v: ["x", { exists: false }] } }] }, undefined],
    ["alternatives with different fields", { all: [type, { data: { $or: [{ v: [1] }, { w: [1] }] } }] }, undefined],
    ["one of two conditions on different fields", { all: [type, { any: [v, { data: { w: [1] } }] }] }, undefined],
  ])("the lookup of %s", (_name, filter, wanted) => {
    expect(toLookup(parseFilter(filter))).toEqual(wanted);
  });

  it.each([
    [LOOKUP_MAX_KEYS - 1, 1, true],
    [LOOKUP_MAX_KEYS, 1, true],
    [LOOKUP_MAX_KEYS + 1, 1, false],
    [LOOKUP_MAX_KEYS / 2, 2, true],
    [LOOKUP_MAX_KEYS / 2 + 1, 2, false],
  ])("the lookup of %i values of %i types is one: %s", (count, types, isOne) => {
    const values = Array.from({ length: count }, (_, i) => i);
    const any = Array.from({ length: types }, (_, i) => ({ exact: { type: `t${i}` } }));

    expect(toLookup(parseFilter({ all: [{ any }, { data: { v: values } }] })) !== undefined).toBe(isOne);
  });

  it("the lookup of a number keeps all its digits", () => {
    const { lossless } = parseLossless('{"all":[{"exact":{"type":"a"}},{"data":{"v":[9007199254740993]}}]}');

    expect(JSON.stringify(toLookup(parseFilter(lossless))?.fields)).toBe(
      '[{"pointer":"/v","values":[9007199254740993]}]',
    );
  });
});

describe("the values that a filter needs", () => {
  it("the values that a filter needs of an attribute are texts, whatever it compares them with", () => {
    expect(neededValues(parseFilter({ exact: { trace: 1 } }), "trace")).toEqual(["1"]);
    expect(neededValues(parseFilter({ exact: { id: "1" } }), "constructor")).toBeUndefined();
  });
});
