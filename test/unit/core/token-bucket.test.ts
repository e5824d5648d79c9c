import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyChange, type Bucket } from "../../../functions/core/lease-store.ts";
import { takeTokens, timeOf, timeUntil, tokensIn, toRate } from "../../../functions/core/token-bucket.ts";

const NOW = Date.parse("2026-11-29T10:00:00Z") * 1_000;
const SECOND = 1_000_000;

/** The bucket after tokens were taken; undefined where so many are not there. */
function take(bucket: Bucket | undefined, rate: ReturnType<typeof toRate>, now: number, tokens: number) {
  const change = takeTokens(rate, bucket, now, { tokens });
  return applyChange({ ...(bucket && { events: bucket }) }, { buckets: { events: change }, expires: 0 })?.events;
}

describe("a bucket of tokens", () => {
  it("a bucket that nobody has used has the burst, and not one token more", () => {
    const rate = toRate(3, 7);

    expect(tokensIn(rate, undefined, NOW)).toBe(7);
    const after = take(undefined, rate, NOW, 7);
    expect(tokensIn(rate, after, NOW)).toBe(0);
    expect(take(after, rate, NOW, 1)).toBeUndefined();
  });

  it("tokens come back at the rate: not a microsecond early", () => {
    const rate = toRate(10, 10);
    const empty = take(undefined, rate, NOW, 10);

    expect(timeUntil(rate, empty, NOW, 1)).toBe(SECOND / 10);
    expect(tokensIn(rate, empty, NOW + SECOND / 10 - 1)).toBe(0);
    expect(tokensIn(rate, empty, NOW + SECOND / 10)).toBe(1);
    expect(tokensIn(rate, empty, NOW + SECOND)).toBe(10);
    expect(tokensIn(rate, empty, NOW + 100 * SECOND)).toBe(10);
  });

  it("the time until more tokens than there can be is that of a full bucket", () => {
    const rate = toRate(10, 5);
    const empty = take(undefined, rate, NOW, 5);

    expect(timeUntil(rate, empty, NOW, 1_000)).toBe(SECOND / 2);
  });

  it("a reserve is left alone, but a bucket of one token has none", () => {
    const rate = toRate(10);

    expect(tokensIn(rate, undefined, NOW, 0.2)).toBe(8);
    expect(tokensIn(toRate(1), undefined, NOW, 0.2)).toBe(1);
    const change = takeTokens(rate, { fullAt: NOW + SECOND / 5, span: rate.span }, NOW, { tokens: 7, reserve: 0.2 });
    expect(change).toMatchObject({ kind: "add", atMost: NOW + SECOND / 10 });
  });

  it("other limits keep the part to which the bucket is full", () => {
    const slow = toRate(10, 600);
    const empty = take(undefined, slow, NOW, 600);
    const half = take(undefined, slow, NOW, 300);
    const fast = toRate(1_000);

    expect(tokensIn(fast, empty, NOW)).toBe(0);
    expect(tokensIn(fast, empty, NOW + SECOND)).toBeGreaterThan(0);
    expect(tokensIn(fast, half, NOW)).toBe(500);
    expect(take(half, fast, NOW, 500)).toEqual({ fullAt: NOW + SECOND, span: SECOND });
    expect(takeTokens(fast, half, NOW, { tokens: 1 })).toMatchObject({ kind: "replace", read: half });
  });

  it("a limit that is too large to count limits nothing and stays exact", () => {
    const rate = toRate(Number.MAX_SAFE_INTEGER);

    expect(tokensIn(rate, undefined, NOW)).toBe(1_000_000_000);
    expect(rate.span).toBe(SECOND);
    expect(Number.isSafeInteger(take(undefined, rate, NOW, 1_000)?.fullAt)).toBe(true);
    expect(Number.isSafeInteger(take(undefined, toRate(1, Number.MAX_SAFE_INTEGER), NOW, 1)?.fullAt)).toBe(true);
  });

  it("what is there can be taken, and nothing beyond it, under every limit", () => {
    const limit = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(limit, limit, fc.nat(2_000_000_000), (perSecond, burst, debt) => {
        const rate = toRate(perSecond, burst);
        const bucket = { fullAt: NOW + (debt % (rate.span + 1)), span: rate.span };
        const available = tokensIn(rate, bucket, NOW);

        expect(available).toBeLessThanOrEqual(burst);
        if (available > 0) expect(take(bucket, rate, NOW, available)?.fullAt).toBeLessThanOrEqual(NOW + rate.span);
        expect(take(bucket, rate, NOW, available + 1)).toBeUndefined();
        const wait = timeUntil(rate, bucket, NOW, 1);
        expect(tokensIn(rate, bucket, NOW + wait)).toBeGreaterThan(0);
        if (wait > 0) expect(tokensIn(rate, bucket, NOW + wait - 1)).toBe(0);
        expect(timeOf(rate, burst)).toBe(rate.span);
      }),
    );
  });
});
