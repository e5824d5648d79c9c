import { describe, expect, it } from "vitest";
import { backoffSeconds } from "../../../functions/core/backoff.ts";
import { REQUEUE_FROM_ATTEMPT } from "../../../functions/consume/limits.ts";
import { BACKOFF_MAX_SECONDS } from "../../../functions/core/queue-limits.ts";
import {
  MAX_RECEIVE_COUNT,
  QUEUE_RETENTION_DAYS,
  QUEUE_VISIBILITY_SECONDS,
} from "../../../functions/core/queue-limits.ts";

const SHORTEST = 0;
const LONGEST = 1 - Number.EPSILON;
const HOUR = 3_600;

describe("backoff", () => {
  it("waits seconds at first, a quarter longer each time, up to the maximum, spread over the upper quarter", () => {
    expect([1, 2, 3, 4, 5, 10, 20].map((attempts) => backoffSeconds(attempts, SHORTEST))).toEqual([
      1, 1, 1, 2, 2, 7, 65,
    ]);
    expect([1, 2, 3, 4, 5, 10, 20].map((attempts) => backoffSeconds(attempts, LONGEST))).toEqual([
      3, 3, 3, 3, 3, 9, 87,
    ]);
    expect(backoffSeconds(10_000, SHORTEST)).toBe(0.75 * BACKOFF_MAX_SECONDS);
    expect(backoffSeconds(10_000, LONGEST)).toBe(BACKOFF_MAX_SECONDS);
  });

  it("delivers every message again within a third of an outage, however long it was and whatever was drawn", () => {
    for (let outage = 60; outage <= 72 * HOUR; outage += outage < HOUR ? 1 : 60) {
      // The last failure is just before the end, and it is as late an attempt as the shortest waits before it allow.
      let attempts = 1;
      for (let elapsed = 0; elapsed < outage; attempts++) elapsed += backoffSeconds(attempts, SHORTEST);

      const wait = backoffSeconds(attempts - 1, LONGEST);

      expect(wait, `after an outage of ${outage} s`).toBeLessThanOrEqual(outage / 3 + 2);
      expect(wait).toBeLessThanOrEqual(BACKOFF_MAX_SECONDS);
    }
  });
});

describe("the receive count", () => {
  it("leaves two and a half hours to repair what crashes or throws, and ends long before retention does", () => {
    const early = Array.from({ length: REQUEUE_FROM_ATTEMPT - 1 }, (_, i) => backoffSeconds(i + 1, SHORTEST));
    const seconds =
      early.reduce((sum, each) => sum + each) + (MAX_RECEIVE_COUNT - early.length) * QUEUE_VISIBILITY_SECONDS;

    expect(seconds).toBeGreaterThan(2.5 * HOUR);
    expect(MAX_RECEIVE_COUNT * QUEUE_VISIBILITY_SECONDS).toBeLessThan(QUEUE_RETENTION_DAYS * 24 * HOUR);
  });
});
