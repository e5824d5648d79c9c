import { describe, expect, it } from "vitest";
import {
  type Condition,
  conditionFor,
  conditionsOf,
  describe as describeCondition,
  faultOf,
  type Operator,
  toCondition,
  toFilter,
} from "../../../console/parts/filter-params.ts";
import { knownPaths, learnPaths } from "../../../console/parts/known-paths.ts";
import { toPredicate } from "../../../functions/core/filter/predicate.ts";
import { parseLossless } from "../../../functions/core/lossless-json.ts";

describe("the chips of a filter", () => {
  it.each<[Condition, string, Operator, string]>([
    [["type", "com.example.order"], "type", "eq", "com.example.order"],
    [["type", "com.example.*"], "type", "prefix", "com.example."],
    [["data.total[gte]", "100"], "data.total", "gte", "100"],
    [["data.a\\.b.c", "x"], "data.a\\.b.c", "eq", "x"],
    [["data.a[exists]", "false"], "data.a", "exists", "false"],
    [["data.tags[in]", "a,b"], "data.tags", "in", "a,b"],
  ])("%j is said by its field, operator and value, which make it again", (condition, field, operator, value) => {
    expect(describeCondition(condition)).toEqual({ field, operator, value });
    expect(toCondition(field, operator, value)).toEqual(condition);
  });

  it("are the parameters of a filter, and no others of the screen", () => {
    const params = new URLSearchParams("range=24h&type=a&column=/data/x&data.x=1&tenant=t&from=2026-11-30");

    expect(conditionsOf(params)).toEqual([
      ["type", "a"],
      ["data.x", "1"],
    ]);
  });

  it("name a field of data with or without data before it", () => {
    expect(toCondition("customer.country", "eq", "DE")).toEqual(["data.customer.country", "DE"]);
    expect(toCondition("data.customer.country", "eq", "DE")).toEqual(["data.customer.country", "DE"]);
  });

  it("say how to repair a condition that is none", () => {
    expect(faultOf([["type", "a*b"]])).toContain("type");
    expect(faultOf([["data.a[like]", "b"]])).toContain("like");
    expect(faultOf([["type", "a"]])).toBeUndefined();
  });
});

/** An event, and whether the condition for one of its values finds it. */
function findsItself(event: string, path: string[], json: string): boolean {
  const condition = conditionFor(path, json);
  const filter = condition === undefined ? undefined : toFilter([condition]);
  if (filter === undefined) throw new Error(`no condition for ${path.join(".")}`);
  return toPredicate(filter)(parseLossless(event).lossless as Parameters<ReturnType<typeof toPredicate>>[0]);
}

describe("filter by this value", () => {
  it.each([
    '"paid"',
    '"5"',
    '"true"',
    '"null"',
    '"-1e5"',
    String.raw`"\"quoted\""`,
    String.raw`"a \\ b\nc"`,
    '"2026-11-30"',
    '"ä😀"',
    "5",
    "1.0",
    "12345678901234567890",
    "1e400",
    "true",
    "null",
    '""',
  ])("finds the event by %s", (json) => {
    const event = `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a.b":{"c]\\\\":[{"d":${json}}]}}}`;

    expect(findsItself(event, ["data", "a.b", "c]\\", "d"], json)).toBe(true);
  });

  it("tells the text 5 from the number 5", () => {
    const event = '{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"n":5}}';

    expect(findsItself(event, ["data", "n"], "5")).toBe(true);
    expect(findsItself(event, ["data", "n"], '"5"')).toBe(false);
  });

  it("is not offered where no parameter can say it", () => {
    expect(conditionFor(["data", "a"], "{}")).toBeUndefined();
    expect(conditionFor(["data", ""], "1")).toBeUndefined();
    expect(conditionFor(["data", "$or"], "1")).toBeUndefined();
    expect(conditionFor(["data", "__proto__"], "1")).toBeUndefined();
    expect(conditionFor(["time"], '"2026-11-30T00:00:00Z"')).toBeUndefined();
    expect(conditionFor(["type"], '"a*b"')).toBeUndefined();
    expect(conditionFor(["data", "a"], JSON.stringify("x".repeat(1_025)))).toBeUndefined();
    expect(conditionFor(["data", ...Array.from("abcdefghi")], "1")).toBeUndefined();
  });
});

describe("the paths that a filter suggests", () => {
  it("are those of the events that were looked at, as a filter names them", () => {
    learnPaths(
      String.raw`{"total":1,"a.b":{"c]\\":true},"items":[{"sku":"x"},{"other":1}],"deep":{"a":{"b":{"c":1}}},"none":{}}`,
    );

    expect(knownPaths.value).toEqual(["data.total", String.raw`data.a\.b.c\]\\`, "data.items.sku"]);
    expect(knownPaths.value.every((path) => faultOf([[path, "1"]]) === undefined)).toBe(true);
  });
});
