import { describe, expect, it } from "vitest";
import { outcomesOf } from "../../faults/checker/answer-outcomes.ts";

const results = (...statuses: string[]) => ({ results: statuses.map((status, index) => ({ index, status })) });

describe("outcomesOf", () => {
  it("outcomesOf follows the verdicts, whatever the status", () => {
    expect(outcomesOf({ status: 202, body: results("accepted", "duplicate") })).toEqual(["acked", "acked"]);
    expect(outcomesOf({ status: 207, body: results("invalid", "accepted", "retry") })).toEqual([
      "rejected",
      "acked",
      "indeterminate",
    ]);
    expect(outcomesOf({ status: 422, body: results("invalid") })).toEqual(["rejected"]);
    expect(outcomesOf({ status: 503, body: results("retry", "invalid") })).toEqual(["indeterminate", "rejected"]);
  });

  it("outcomesOf counts a refused request as a rejection of each event", () => {
    for (const status of [400, 401, 403, 413, 415, 429]) {
      expect(outcomesOf({ status, body: { code: "any" } }), String(status)).toBe("rejected");
    }
  });

  it("outcomesOf is indeterminate for a server error or a missing answer", () => {
    for (const status of [500, 502, 503, 504]) {
      expect(outcomesOf({ status, body: { code: "any" } }), String(status)).toBe("indeterminate");
    }
    expect(outcomesOf({ status: 502, body: undefined })).toBe("indeterminate");
    expect(outcomesOf(undefined)).toBe("indeterminate");
  });

  it("outcomesOf throws for a success without verdicts", () => {
    expect(() => outcomesOf({ status: 202, body: {} })).toThrow("An answer with status 202 and no results.");
  });
});
