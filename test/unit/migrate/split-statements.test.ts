import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { splitStatements } from "../../../functions/migrate/split-statements.ts";

describe("splitStatements", () => {
  it.each([
    ["select 1; select 2;", ["select 1", "select 2"]],
    ["select 1", ["select 1"]],
    ["select ';''; '; select \"a;\"", ["select ';''; '", 'select "a;"']],
    ["-- a; b\nselect 1; -- c;\n/* d; */ select 2; -- end", ["-- a; b\nselect 1", "-- c;\n/* d; */ select 2"]],
    [
      "create function f() as $$ begin; end; $$; select $a$ $$ ; $a$",
      ["create function f() as $$ begin; end; $$", "select $a$ $$ ; $a$"],
    ],
    ["  ;; \n", []],
    ["/* a /* b; */ c; */ select 1; select 2", ["/* a /* b; */ c; */ select 1", "select 2"]],
    ["create table a$b$c (x int); select d$b$e", ["create table a$b$c (x int)", "select d$b$e"]],
  ])("splitStatements splits %j into its statements", (sql, statements) => {
    expect(splitStatements(sql)).toEqual(statements);
  });

  it.each([
    ["select E'it\\'s; ok'", "backslash in quotes"],
    ["create function f() returns int begin atomic select 1; end", "begin atomic"],
    ["/* /* */ select 1", "has /* without an end"],
  ])("splitStatements refuses %j and says why", (sql, why) => {
    expect(() => splitStatements(sql)).toThrow(why);
  });

  it("splitStatements names the quote that has no end", () => {
    expect(() => splitStatements("select 1; select 'abc")).toThrow("has ' without an end: abc");
  });
});

describe("migrations", () => {
  const folder = "functions/sql";
  const files = readdirSync(folder).filter((name) => name !== "README.md");

  it("migrations are numbered without a gap and have a name after the number", () => {
    expect(files.length).toBeGreaterThan(0);
    for (const [index, name] of files.toSorted().entries()) {
      expect(name).toMatch(/^\d{4}_[a-z0-9_]+\.sql$/);
      expect(Number(name.slice(0, 4))).toBe(index + 1);
    }
  });

  it.each(files)("the migration %s has no text that the Data API's scanner takes for a parameter", (name) => {
    for (const statement of splitStatements(readFileSync(`${folder}/${name}`, "utf8"))) {
      const scanned = statement.replaceAll(/--[^\n]*|\/\*[^]*?\*\/|'[^']*'|"[^"]*"/g, "").replaceAll("::", "");
      expect(scanned).not.toMatch(/:[A-Za-z0-9_]/);
      expect(statement).not.toContain("\\");
    }
  });
});
