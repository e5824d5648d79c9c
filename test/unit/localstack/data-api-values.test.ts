import { array, assert, option, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseArray } from "../../../localstack/data-api/array-text.ts";
import { bindParameters } from "../../../localstack/data-api/bind.ts";
import { fromPostgres } from "../../../localstack/data-api/errors.ts";
import { createFaults } from "../../../localstack/data-api/faults.ts";
import { createManualClock } from "../../support/manual-clock.ts";

describe("an array's text", () => {
  it("gives back every element, for any text", () => {
    const quote = (text: string) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
    assert(
      property(array(option(string())), (elements) => {
        const text = `{${elements.map((each) => (each === null ? "NULL" : quote(each))).join(",")}}`;
        expect(parseArray(text)).toEqual(elements);
      }),
    );
  });

  it("is not read if it has more than one dimension", () => {
    expect(parseArray("{{1,2},{3,4}}")).toBeUndefined();
  });
});

describe("a parameter", () => {
  const bind = (parameter: Parameters<typeof bindParameters>[1][number]) => bindParameters("select :p", [parameter]);

  it("is refused if it is missing, unused or given twice", () => {
    const one = { name: "a", value: { longValue: 1 } };
    expect(() => bindParameters("select :a, :b", [one])).toThrow("Cannot find parameter: b");
    expect(() => bindParameters("select 1", [one])).toThrow("Parameter is not used in the SQL: a");
    expect(() => bindParameters("select :a", [one, one])).toThrow("A parameter is given twice");
  });

  it.each([
    ["UUID", "0190a5a8-7b5e-7cc1-8f5d-2b1f3c4d5e6f", "0190a5a8"],
    ["JSON", '{"a":1}', "{a:1}"],
    ["DATE", "2026-11-01", "2026-11-01T00:00:00"],
    ["TIME", "10:00:00.123", "10:00:00.1234"],
    ["TIMESTAMP", "2026-11-01 10:00:00.123", "2026-11-01T10:00:00Z"],
    ["DECIMAL", "-12.50", "1e5"],
  ] as const)("with the hint %s has the form that AWS documents", (typeHint, good, bad) => {
    expect(bind({ name: "p", typeHint, value: { stringValue: good } }).values).toEqual([good]);
    expect(() => bind({ name: "p", typeHint, value: { stringValue: bad } })).toThrow(`not of the form of ${typeHint}`);
    expect(() => bind({ name: "p", typeHint, value: { longValue: 1 } })).toThrow("needs a stringValue");
  });
});

describe("a failure of PostgreSQL", () => {
  const error = (fields: object) => Object.assign(new Error("m"), { severity: "ERROR", code: "23505", ...fields });

  it("tells message, detail, hint, position and SQLSTATE in this order", () => {
    expect(fromPostgres(error({ detail: "d", hint: "h", position: "7" })).message).toBe(
      "ERROR: m\n  Detail: d; Hint: h; Position: 7; SQLState: 23505",
    );
  });

  it.each(["57P01", "57P02", "57P03", "08006"])("with SQLSTATE %s means the database is unavailable", (code) => {
    expect(fromPostgres(error({ code }))).toMatchObject({ type: "DatabaseUnavailableException", status: 504 });
  });

  it("that is no answer at all means the database is unavailable", () => {
    const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    expect(fromPostgres(reset).type).toBe("DatabaseUnavailableException");
  });
});

describe("a fault", () => {
  it("applies to as many calls, for as long and to the operation it says", () => {
    const clock = createManualClock();
    const faults = createFaults(clock);

    faults.set([
      { kind: "dropBefore", calls: 2, operation: "ExecuteStatement" },
      { kind: "hang", forMilliseconds: 1000 },
    ]);
    const take = (operation: "ExecuteStatement" | "BeginTransaction") =>
      faults.take(["dropBefore", "hang"], operation)?.kind;

    expect(take("BeginTransaction")).toBe("hang");
    expect([take("ExecuteStatement"), take("ExecuteStatement"), take("ExecuteStatement")]).toEqual([
      "dropBefore",
      "dropBefore",
      "hang",
    ]);
    clock.advance(1000);
    expect(take("ExecuteStatement")).toBeUndefined();
    expect(faults.list()).toEqual([]);
  });
});
