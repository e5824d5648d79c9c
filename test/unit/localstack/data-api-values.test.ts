import { describe, expect, it } from "vitest";
import { bindParameters } from "../../../localstack/data-api/bind-parameters.ts";
import { fromPostgres } from "../../../localstack/data-api/errors.ts";
import { createFaults } from "../../../localstack/data-api/faults.ts";
import { createManualClock } from "../../support/manual-clock.ts";

describe("a parameter", () => {
  it("a parameter is refused if it is missing, unused or given twice", () => {
    const one = { name: "a", value: { longValue: 1 } };
    expect(() => bindParameters("select :a, :b", [one])).toThrow("Cannot find parameter: b");
    expect(() => bindParameters("select 1", [one])).toThrow("Parameter is not used in the SQL: a");
    expect(() => bindParameters("select :a", [one, one])).toThrow("A parameter is given twice");
  });
});

describe("a failure of PostgreSQL", () => {
  const error = (fields: object) => Object.assign(new Error("m"), { severity: "ERROR", code: "23505", ...fields });

  it("a failure of PostgreSQL says message, detail, hint, position and SQLSTATE in this order", () => {
    expect(fromPostgres(error({ detail: "d", hint: "h", position: "7" })).message).toBe(
      "ERROR: m\n  Detail: d; Hint: h; Position: 7; SQLState: 23505",
    );
  });

  it.each(["57P01", "57P02", "57P03", "08006"])(
    "a failure of PostgreSQL with SQLSTATE %s means the database is unavailable",
    (code) => {
      expect(fromPostgres(error({ code }))).toMatchObject({ type: "DatabaseUnavailableException", status: 504 });
    },
  );

  it("a failure of PostgreSQL that is no answer at all means the database is unavailable", () => {
    const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    expect(fromPostgres(reset).type).toBe("DatabaseUnavailableException");
  });
});

describe("a fault", () => {
  it("a fault applies to its number of calls, for its time and to its operation", () => {
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
