import type { Clock } from "../../localstack/clock.ts";

export type ManualClock = Clock & { advance(milliseconds: number): void };

/** Time that stands still until a test advances it. */
export function createManualClock(): ManualClock {
  let now = Date.parse("2026-11-01T00:00:00Z");
  let timers: { at: number; run: () => void }[] = [];
  return {
    now: () => now,
    after(milliseconds, run) {
      const timer = { at: now + milliseconds, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    advance(milliseconds) {
      now += milliseconds;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { run } of due) run();
    },
  };
}
