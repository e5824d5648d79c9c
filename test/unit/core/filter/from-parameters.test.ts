import { describe, expect, it } from "vitest";
import { RequestError } from "../../../../functions/core/errors.ts";
import {
  FILTER_LIST_MAX_ITEMS,
  FILTER_MAX_CONDITIONS,
  FILTER_TEXT_MAX_BYTES,
} from "../../../../functions/core/filter-limits.ts";
import { filterFromParameters, isFilterParameter } from "../../../../functions/core/filter/from-parameters.ts";
import { json } from "./support.ts";

const read = (query: string) => filterFromParameters([...new URLSearchParams(query)]);

function faultOf(parameters: [string, string][]): { parameter: unknown; detail: string } | undefined {
  try {
    filterFromParameters(parameters);
    return undefined;
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== "bad_parameter") throw error;
    return { parameter: error.members["parameter"], detail: error.message };
  }
}

describe("the parameters of a list", () => {
  it.each<[string, unknown]>([
    ["", undefined],
    ["type=a", { exact: { type: "a" } }],
    ["type=com.example.*", { prefix: { type: "com.example." } }],
    ["type=a&type=b*", { any: [{ exact: { type: "a" } }, { prefix: { type: "b" } }] }],
    [
      "type=a&source=/s&type=b",
      { all: [{ any: [{ exact: { type: "a" } }, { exact: { type: "b" } }] }, { exact: { source: "/s" } }] },
    ],
    ["subject=a%2Fb&id=1", { all: [{ exact: { subject: "a/b" } }, { exact: { id: "1" } }] }],
    ["data.n=1", { data: { n: [1] } }],
    ["data.n[eq]=1", { data: { n: [1] } }],
    ['data.n="1"', { data: { n: ["1"] } }],
    ["data.n=true&data.m=null&data.o=false", { data: { n: [true], m: [null], o: [false] } }],
    ["data.n=DE", { data: { n: ["DE"] } }],
    ["data.n=", { data: { n: [""] } }],
    [
      'data.n=007&data.m=2026-11-21&data.o=1e&data.p={}&data.q="a',
      { data: { n: ["007"], m: ["2026-11-21"], o: ["1e"], p: ["{}"], q: ['"a'] } },
    ],
    ["data.n=1&data.n=2", { data: { n: [1, 2] } }],
    ["data.n[in]=1,a,true", { data: { n: [1, "a", true] } }],
    ['data.n[in]=["a,b",1]', { data: { n: ["a,b", 1] } }],
    ["data.n[in]=1&data.n=2", { data: { n: [1, 2] } }],
    ["data.n[ne]=1&data.n[ne]=a", { data: { n: [{ "anything-but": [1, "a"] }] } }],
    ['data.n[prefix]=12&data.n[prefix]="a"', { data: { n: [{ prefix: "12" }, { prefix: "a" }] } }],
    ["data.n[suffix]=x", { data: { n: [{ suffix: "x" }] } }],
    ["data.n[contains]=a*b\\", { data: { n: [{ wildcard: "*a\\*b\\\\*" }] } }],
    ["data.n[contains]=", { data: { n: [{ wildcard: "*" }] } }],
    ["data.n[gt]=1&data.n[lte]=5", { data: { n: [{ numeric: [">", 1, "<=", 5] }] } }],
    ["data.n[lt]=5&data.n[gte]=1", { data: { n: [{ numeric: ["<", 5, ">=", 1] }] } }],
    [
      "data.t[gte]=2026-11-01&data.t[lt]=2026-12-01",
      { data: { t: [{ text: [">=", "2026-11-01", "<", "2026-12-01"] }] } },
    ],
    ['data.t[gte]="5"', { data: { t: [{ text: [">=", "5"] }] } }],
    ["data.n[exists]=true&data.m[exists]=false", { data: { n: [{ exists: true }], m: [{ exists: false }] } }],
    ["data=x&data[prefix]=y", { all: [{ data: ["x"] }, { data: [{ prefix: "y" }] }] }],
    ["data.items.sku=a&data.items.n[gt]=1", { data: { items: { sku: ["a"], n: [{ numeric: [">", 1] }] } } }],
    [
      "data.n[prefix]=a&data.n[suffix]=b&data.m=1",
      { all: [{ data: { n: [{ prefix: "a" }], m: [1] } }, { data: { n: [{ suffix: "b" }] } }] },
    ],
    ["data.a=1&data.a.b=2", { all: [{ data: { a: [1] } }, { data: { a: { b: [2] } } }] }],
    ["data.a.b=2&data.a=1", { all: [{ data: { a: { b: [2] } } }, { data: { a: [1] } }] }],
    ["data.a\\.b.c\\[d\\]=1", { data: { "a.b": { "c[d]": [1] } } }],
    ["data.a\\\\=1", { data: { "a\\": [1] } }],
    ["data.é \"'=1", { data: { "é \"'": [1] } }],
    ["data.type=x&type=y", { all: [{ exact: { type: "y" } }, { data: { type: ["x"] } }] }],
  ])("%s", (query, filter) => {
    expect(read(query)).toEqual(filter);
  });

  it("keep numbers that a double cannot hold", () => {
    expect(read("data.n=9007199254740993&data.m[gt]=1e400")).toEqual({
      data: { n: [json("9007199254740993")], m: [{ numeric: [">", json("1e400")] }] },
    });
  });

  it.each<[string, string, string]>([
    ["type", "com.*.a", "has a * before its end"],
    ["type", "a**", "has a * before its end"],
    ["source", "*", "leave the parameter out"],
    ["id", "", "is empty"],
    ["id", "\u0000", "U+0000"],
    ["subject", "x".repeat(FILTER_TEXT_MAX_BYTES + 1), "bytes"],
    ["tenant", "a", "is no parameter of a filter"],
    ["data.", "1", "has an empty key"],
    ["data.a..b", "1", "has an empty key"],
    ["data.a[", "1", "is not data.PATH[OPERATOR]"],
    ["data.a]b", "1", "is not data.PATH[OPERATOR]"],
    ["data.a\\b", "1", "is not data.PATH[OPERATOR]"],
    ["data[a]b", "1", "is not data.PATH[OPERATOR]"],
    ["data.a[like]", "1", "unknown operator like; there are eq, in, ne"],
    ["data.a[toString]", "1", "unknown operator"],
    ["data.$or.a", "1", "$or"],
    ["data.__proto__", "1", "__proto__"],
    ["data.a[gt]", "true", "must be a number or a text"],
    ["data.a[exists]", "yes", "must be true or false"],
    ["data.a[in]", "[1", "a list as in"],
    ["data.a[in]", "[[1]]", "lists are not nested"],
    ["data.a[in]", '[{"exists":false}]', "a list as in"],
    ["data.a[in]", Array.from({ length: FILTER_LIST_MAX_ITEMS + 1 }, (_, i) => i).join(), "the limit is"],
    ["data.a[prefix]", "\ud800", "half of a surrogate pair"],
    ["data.a", "1e99999", "digits"],
    ["data.a.b.c.d.e.f.g.h.i", "1", "keys below data"],
  ])("are refused with the name and what to do: %s=%j", (name, value, detail) => {
    expect(faultOf([[name, value]])).toEqual({ parameter: name, detail: expect.stringContaining(detail) });
  });

  it.each<[[string, string][], string]>([
    [
      [
        ["data.a[gt]", "1"],
        ["data.a[gte]", "2"],
      ],
      "second bound on the same side",
    ],
    [
      [
        ["data.a[gt]", "1"],
        ["data.a[lt]", "2"],
        ["data.a[lt]", "3"],
      ],
      "second bound on the same side",
    ],
    [
      [
        ["data.a[gt]", "1"],
        ["data.a[lt]", "x"],
      ],
      "quote a text of digits",
    ],
  ])("are refused where they do not go together: %j", (parameters, detail) => {
    expect(faultOf(parameters)?.detail).toContain(detail);
  });

  it("may be so many, and not one more", () => {
    const many = (count: number) => Array.from({ length: count }, (_, i): [string, string] => [`data.k${i}`, "1"]);
    const repeated = (count: number) => Array.from({ length: count }, (_, i): [string, string] => ["type", `t${i}`]);

    expect([faultOf(many(FILTER_MAX_CONDITIONS)), faultOf(repeated(FILTER_LIST_MAX_ITEMS))]).toEqual([
      undefined,
      undefined,
    ]);
    expect(faultOf(many(FILTER_MAX_CONDITIONS + 1))?.detail).toContain(`at most ${FILTER_MAX_CONDITIONS} conditions`);
    expect(faultOf(repeated(FILTER_LIST_MAX_ITEMS + 1))?.detail).toContain("is sent 51 times");
  });

  it.each<[string, boolean]>([
    ["type", true],
    ["id", true],
    ["data", true],
    ["data.a", true],
    ["data[eq]", true],
    ["database", false],
    ["limit", false],
    ["toString", false],
  ])("%s is one of a filter: %s", (name, expected) => {
    expect(isFilterParameter(name)).toBe(expected);
  });
});
