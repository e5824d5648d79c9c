import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseFilter } from "../../../../functions/core/filter/filter.ts";
import { isBoundSql } from "../../../../functions/core/filter/is-bound-sql.ts";
import { toSql } from "../../../../functions/core/filter/to-sql.ts";
import { anyFilter } from "../../../support/filter-samples.ts";

function compile(filter: unknown, parameters: string[] = []): [string, string[]] {
  return [toSql(parseFilter(filter), parameters), parameters];
}

describe("toSql", () => {
  it.each<[unknown, string, string[]]>([
    [{ exact: { type: "a" } }, "e.type = ($1)[1]", ["a"]],
    [
      { exact: { source: "a", subject: "b", id: "c" } },
      "(e.source = ($1)[1] and e.subject = ($1)[2] and e.id = ($1)[3])",
      ["a", "b", "c"],
    ],
    [
      { any: [{ exact: { type: "a" } }, { exact: { type: "b" } }] },
      "(e.type = ($1)[1] or e.type = ($1)[2])",
      ["a", "b"],
    ],
    [{ prefix: { type: "com." } }, "(e.type >= ($1)[1] and e.type < ($1)[2])", ["com.", "com/"]],
    [{ not: { exact: { subject: "a" } } }, "(e.subject = ($1)[1]) is not true", ["a"]],
    [{ exact: { constructor: "a" } }, "filter_extension(e.extensions, ($1)[1]) = ($1)[2]", ["constructor", "a"]],
    [{ exact: { time: "2016-12-31T23:59:60.9Z" } }, "e.time = cast(($1)[1] as timestamptz)", ["2016-12-31T23:59:60Z"]],
    [
      { data: { a: [5] } },
      "exists (select from filter_objects(e.data) as o (v) where exists (select from filter_scalars(o.v -> ($1)[1]) as s (v) where s.v = cast(($1)[2] as jsonb)))",
      ["a", "5"],
    ],
  ])("compiles %j", (filter, sql, parameters) => {
    expect(compile(filter)).toEqual([sql, parameters]);
  });

  it("appends to the parameters that are there", () => {
    expect(compile({ exact: { type: "a" } }, ["x", "y"])).toEqual(["e.type = ($1)[3]", ["x", "y", "a"]]);
  });

  it("gives a prefix after which no text can come one bound", () => {
    expect(compile({ prefix: { type: "\u{10ffff}\u{10ffff}" } })).toEqual([
      "e.type >= ($1)[1]",
      ["\u{10ffff}\u{10ffff}"],
    ]);
  });

  it("writes no text of the filter into the SQL, whatever it is", () => {
    const hostile = fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        "; drop table events",
        "$$",
        "--",
        "/*",
        ")",
        "($1)[1]",
        "e.tenant",
        "\\",
        ":x",
        "%s",
        "true or true",
      ),
      fc
        .string({ unit: "binary", minLength: 1, maxLength: 12 })
        .filter(
          (text) => !text.includes("\0") && text !== "__proto__" && text !== "$or" && !/^\u{10ffff}+$/u.test(text),
        ),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (a, b, c) => {
        const [sql, parameters] = compile({
          any: [
            { exact: { type: a } },
            { prefix: { traceid: b, source: a } },
            { suffix: { subject: c, time: b } },
            {
              data: {
                [a]: {
                  [b]: [c, { prefix: a }, { text: ["<", b] }, { "anything-but": { "equals-ignore-case": [a, c] } }],
                },
              },
            },
          ],
        });

        expect(isBoundSql(sql)).toBe(true);
        // The same words for other texts: nothing of a text decides what is written.
        expect(sql.replaceAll(/\d+/g, "")).toBe(SHAPE.replaceAll(/\d+/g, ""));
        expect(parameters).toEqual(expect.arrayContaining([a, b, c, JSON.stringify(c)]));
      }),
    );
  });

  it("writes SQL of the known words for every filter", () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        const parameters: string[] = [];
        const sql = toSql(filter, parameters);

        expect(isBoundSql(sql), sql).toBe(true);
        const numbers = new Set([...sql.matchAll(/\(\$1\)\[(\d+)\]/g)].map(([, number]) => Number(number)));
        expect(numbers).toEqual(new Set(parameters.map((_, i) => i + 1)));
      }),
      { numRuns: 500 },
    );
  });
});

const [SHAPE] = compile({
  any: [
    { exact: { type: "a" } },
    { prefix: { traceid: "a", source: "a" } },
    { suffix: { subject: "a", time: "a" } },
    {
      data: {
        a: {
          b: ["c", { prefix: "a" }, { text: ["<", "b"] }, { "anything-but": { "equals-ignore-case": ["a", "c"] } }],
        },
      },
    },
  ],
});

describe("isBoundSql", () => {
  it.each([
    "e.type = ($1)[1]",
    "(e.type = ($1)[1] or e.subject = ($1)[22])",
    "exists (select from filter_scalars(e.data) as s (v) where true)",
  ])("accepts %s", (sql) => {
    expect(isBoundSql(sql)).toBe(true);
  });

  it.each([
    "",
    " ",
    "e.type = 'a'",
    "e.type = $1",
    "e.type = ($2)[1]",
    "e.type = ($1)[0]",
    "e.type = ($1)[1];",
    "e.tenant = ($1)[1]",
    "e.type = ($1)[1] -- ",
    "e.type = ($1)[1] /* */",
    "true) or (true",
    "(true",
    "true or pg_sleep(1) is not true",
    "exists (select from events)",
    "select from event_keys",
    "e.typex = ($1)[1]",
    "e . type",
    "true  or true",
    "true\nor true",
    'e.type collate "de"',
    "1 = 3",
    "10 = 10",
    "current_user is not true",
    "e.type = ($1)[1]::text",
    "TRUE",
  ])("refuses %j", (sql) => {
    expect(isBoundSql(sql)).toBe(false);
  });
});
