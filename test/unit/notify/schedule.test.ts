import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RETRY_JITTER, RETRY_SCHEDULE_SECONDS } from "../../../functions/core/subscription-limits.ts";
import type { Subscription } from "../../../functions/core/subscription.ts";
import { nextTry } from "../../../functions/notify/schedule.ts";

const HOUR_MS = 3_600_000;
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** The times of all tries of a delivery whose sink refuses each one, in ms after the first; the clock goes from try to try. */
function tries(schedule: Subscription["schedule"], random: () => number, retryAfterMs?: number): number[] {
  const times = [0];
  for (;;) {
    const next = nextTry({ schedule, tries: times.length, retryAfterMs }, { now: times.at(-1) ?? 0, random: random() });
    if (next === undefined) return times;
    times.push(next);
  }
}

const waitsOf = (times: readonly number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

describe("the schedule of a delivery", () => {
  it("a delivery has ten tries over 75 hours and 35 minutes", () => {
    const times = tries("standard", () => 0.5);

    expect(times).toHaveLength(10);
    expect(waitsOf(times)).toEqual(RETRY_SCHEDULE_SECONDS.map((seconds) => seconds * 1_000));
    expect((times.at(-1) ?? 0) / 60_000).toBeCloseTo(75 * 60 + 35, 0);
  });

  it("each wait of the ten tries is its own by at most a fifth, whatever chance says", () => {
    fc.assert(
      fc.property(fc.infiniteStream(share), (chances) => {
        const waits = waitsOf(tries("standard", () => chances.next().value as number));

        expect(waits).toHaveLength(RETRY_SCHEDULE_SECONDS.length);
        for (const [index, wait] of waits.entries()) {
          const nominal = (RETRY_SCHEDULE_SECONDS[index] ?? 0) * 1_000;
          expect(Math.abs(wait - nominal)).toBeLessThanOrEqual(nominal * RETRY_JITTER + 0.5);
        }
      }),
    );
  });

  it("two deliveries that failed together are not tried together again", () => {
    expect(tries("standard", () => 0)[1]).toBe(4_000);
    expect(tries("standard", () => 0.999_999)[1]).toBe(6_000);
  });

  it("a doubling schedule waits twice as long each time, for 76 hours", () => {
    const times = tries("doubling", () => 0.5);
    const waits = waitsOf(times).map((wait) => wait / 1_000);

    expect(waits.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    for (let index = 1; index < waits.length - 1; index++) expect(waits[index]).toBe(2 * (waits[index - 1] ?? 0));
    expect(waits.at(-1)).toBeLessThanOrEqual(2 * (waits.at(-2) ?? 0));
    expect(times.at(-1)).toBe(76 * HOUR_MS);
  });

  it("a sink that says when to come again is left alone until then, for a day at most, and its tries end all the same", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("standard" as const, "doubling" as const),
        fc.integer({ min: 0, max: 100 * HOUR_MS }),
        share,
        (schedule, retryAfterMs, chance) => {
          const asked = waitsOf(tries(schedule, () => chance, retryAfterMs));
          const own = waitsOf(tries(schedule, () => chance));

          expect(asked).toEqual(own.map((wait) => Math.max(wait, Math.min(retryAfterMs, 24 * HOUR_MS))));
        },
      ),
    );
  });

  it("a try has the same wait whenever it happens, so that a delivery that was held back for days loses no try", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 1_000 * HOUR_MS }), (count, later) => {
        const at = (now: number) => (nextTry({ schedule: "standard", tries: count }, { now, random: 0.3 }) ?? 0) - now;

        expect(at(later)).toBe(at(0));
      }),
    );
  });
});
