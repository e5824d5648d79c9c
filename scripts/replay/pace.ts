import { setTimeout as delay } from "node:timers/promises";

export type Pace = {
  /** Waits until the rate allows more events, or the signal fires. */
  wait(signal: AbortSignal): Promise<void>;
  spend(events: number): void;
};

type Clock = { now: () => number; delay: (milliseconds: number, signal: AbortSignal) => Promise<void> };

const systemClock: Clock = {
  now: () => performance.now(),
  delay: (milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => undefined),
};

/** Limits the events a second on average, by waiting after each burst; without a rate it never waits. */
export function createPace(perSecond: number | undefined, clock: Clock = systemClock): Pace {
  let free = clock.now();
  return {
    async wait(signal) {
      // Other connections may spend during the wait.
      for (let rest = free - clock.now(); rest > 0 && !signal.aborted; rest = free - clock.now())
        await clock.delay(rest, signal);
    },
    spend(events) {
      if (perSecond !== undefined) free = Math.max(free, clock.now()) + (1_000 * events) / perSecond;
    },
  };
}
