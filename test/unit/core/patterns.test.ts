import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coversAll, matchesAny, pattern } from "../../../functions/core/patterns.ts";

describe("a pattern", () => {
  it.each([
    ["com.example.order", "com.example.order", true],
    ["com.example.order", "com.example.order.placed", false],
    ["com.example.*", "com.example.order", true],
    ["com.example.*", "com.example.", true],
    ["com.example.*", "com.example", false],
    ["com.example.*", "com.examplex.order", false],
    ["*", "", true],
    ["a.b", "axb", false],
    ["[a-z]", "a", false],
  ])("%j matches %j: %s", (pattern, text, expected) => {
    expect(matchesAny([pattern], text)).toBe(expected);
  });

  it("matches every text where there is no list, and none in an empty one", () => {
    expect([matchesAny(undefined, "x"), matchesAny([], "x"), matchesAny(["a", "x"], "x")]).toEqual([true, false, true]);
  });

  it.each(["x", "com.example.*", "*", "é".repeat(5), "a b", "/shop/{id}"])("may be %j", (text) => {
    expect(pattern(10 + 3).safeParse(text).success).toBe(true);
  });

  it.each(["", "a*b", "**", "*a", "a**", "x".repeat(14), "é".repeat(7), "a\u0000", "\ud800", 5, null, ["a"]])(
    "may not be %j",
    (value) => {
      expect(pattern(13).safeParse(value).success).toBe(false);
    },
  );
});

describe("patterns that cover others", () => {
  const short = fc.stringMatching(/^[ab]{0,3}$/);
  const one = fc.oneof(
    fc.stringMatching(/^[ab]{1,3}$/),
    short.map((text) => `${text}*`),
  );
  const texts = [
    "",
    ..."ab".split("").flatMap((a) => [a, `${a}a`, `${a}b`, `${a}aa`, `${a}ab`, `${a}ba`, `${a}bb`, `${a}aba`]),
  ];

  it("match every text that the others match", () => {
    fc.assert(
      fc.property(fc.array(one, { maxLength: 3 }), fc.array(one, { maxLength: 3 }), (outer, inner) => {
        fc.pre(coversAll(outer, inner));
        for (const text of texts) expect(!matchesAny(inner, text) || matchesAny(outer, text), text).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string[] | undefined, string[] | undefined, boolean]>([
    [undefined, undefined, true],
    [undefined, ["*"], true],
    [["*"], undefined, false],
    [["*"], ["*", "a"], true],
    [["a.*"], ["a.b.*", "a.c"], true],
    [["a.*"], ["a.b", "b"], false],
    [["a.*"], ["a*"], false],
    [["a"], ["a*"], false],
    [["a", "b*"], ["a", "bc"], true],
    [["a"], [], true],
  ])("%j cover %j: %s", (outer, inner, expected) => {
    expect(coversAll(outer, inner)).toBe(expected);
  });
});
