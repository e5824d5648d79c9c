import { describe, expect, it } from "vitest";
import { retryAfter } from "../../../console/screens/live/retry-after.ts";

const problem = (status: number, code = "any", retryAfterSeconds?: number) => ({ status, code, retryAfterSeconds });

describe("a request of the live screen that fails", () => {
  it.each([0, 429, 502, 503, 504])("is sent again after a status that passes: %d", (status) => {
    expect(retryAfter(problem(status), 0)).toBe(1_000);
  });

  it.each([400, 401, 403, 410, 500])("is not sent again after a status that stays: %d", (status) => {
    expect(retryAfter(problem(status), 0)).toBeUndefined();
  });

  it("is not sent again for a fault of the page itself", () => {
    expect(retryAfter(problem(0, "page_fault"), 0)).toBeUndefined();
  });

  it("waits as long as the API says", () => {
    expect(retryAfter(problem(429, "queries_shed", 7), 3)).toBe(7_000);
  });

  it("waits twice as long each time, and half a minute at most", () => {
    expect([0, 1, 2, 10].map((attempt) => retryAfter(problem(0), attempt))).toEqual([1_000, 2_000, 4_000, 30_000]);
  });
});
