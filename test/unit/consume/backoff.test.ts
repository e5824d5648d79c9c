import { describe, expect, it } from "vitest";
import { backoffSeconds } from "../../../functions/consume/backoff.ts";
import { BACKOFF_MAX_SECONDS, MAX_RECEIVE_COUNT, QUEUE_RETENTION_DAYS } from "../../../functions/core/limits.ts";

describe("backoff", () => {
  it("doubles with each delivery, jittered over its upper half, up to the maximum", () => {
    expect([1, 2, 3, 4].map((count) => backoffSeconds(count, 0))).toEqual([1, 2, 4, 8]);
    expect([1, 2, 3, 4].map((count) => backoffSeconds(count, 0.999))).toEqual([2, 4, 8, 16]);
    expect(backoffSeconds(10_000, 0.999)).toBe(BACKOFF_MAX_SECONDS);
    expect(backoffSeconds(10_000, 0)).toBe(BACKOFF_MAX_SECONDS / 2);
  });

  it("spreads the receives of the redrive policy over at least 36 hours, and ends before retention does", () => {
    const seconds = Array.from({ length: MAX_RECEIVE_COUNT }, (_, i) => backoffSeconds(i + 1, 0)).reduce(
      (sum, each) => sum + each,
    );

    expect(seconds).toBeGreaterThan(36 * 3_600);
    expect(seconds).toBeLessThan(QUEUE_RETENTION_DAYS * 86_400);
  });
});
