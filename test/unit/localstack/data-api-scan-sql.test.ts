import { describe, expect, it } from "vitest";
import { leadingWords, scanSql } from "../../../localstack/data-api/scan-sql.ts";

describe("a named parameter", () => {
  it.each([
    ["select :a, :b, :a", "select $1, $2, $1", ["a", "b"]],
    ["select :a::uuid, cast(:b_2 as jsonb)", "select $1::uuid, cast($2 as jsonb)", ["a", "b_2"]],
    ["select ':a', 'it''s :a', :b", "select ':a', 'it''s :a', $1", ["b"]],
    ['select ":a", "x"":a", :b', 'select ":a", "x"":a", $1', ["b"]],
    ["select 1 -- :a\n, :b", "select 1 -- :a\n, $1", ["b"]],
    ["select /* :a ':b */ :c", "select /* :a ':b */ $1", ["c"]],
    ["select (array[1,2])[1:2]", "select (array[1,2])[1$1]", ["2"]],
    ["do $$ begin x := 1; end $$", "do $$ begin x := 1; end $$", []],
    ["select E'it\\'s', :a", "select E'it\\'s', $1", ["a"]],
    ["select 'a\\', 1", "select 'a\\', 1", []],
    ["select price$1 from t", "select price$1 from t", []],
  ])("a named parameter is found outside quotes and comments alone: %s", (sql, text, names) => {
    expect(scanSql(sql)).toEqual({ text, names });
  });

  it.each([
    ["in a dollar quote, which the Data API does not know", "select $$a :b c$$"],
    ["in a tagged dollar quote", "select $x$a :b c$x$"],
    ["after a quote inside a dollar quote", "select $$it's$$, :a"],
    ["after a backslash that ends a literal", "select 'a\\', :b"],
    ["in a comment after a nested one has ended", "select /* /* */ :a */ 1"],
  ])("a named parameter is refused %s", (_where, sql) => {
    expect(() => scanSql(sql)).toThrow(/read this SQL differently at :[ab], offset \d+/);
  });
});

describe("a positional parameter", () => {
  it("a positional parameter is refused", () => {
    expect(() => scanSql("select $1")).toThrow("Named parameter syntax is invalid, input: $1");
  });

  it("a positional parameter is text inside quotes and comments", () => {
    expect(scanSql("select '$1' -- $2").names).toEqual([]);
  });
});

describe("the leading words", () => {
  it.each([
    ["  -- copy\n /* x */ (select 1)", "select"],
    ["COPY t from stdin", "copy"],
    ["/* only a comment */ ;", undefined],
  ])("the leading words of %j are the first words of its statement", (sql, first) => {
    expect(leadingWords(sql)[0]).toBe(first);
  });
});
