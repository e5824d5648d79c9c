import { onTestFinished, vi } from "vitest";

/**
 * Lets `Date` stand still for the rest of a test, so that a deadline is over when `vi.setSystemTime` says so and not
 * before, however busy the machine is. Timers and other processes go on.
 * @returns the time it stands at, ms since the epoch
 */
export function freezeDate(): number {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  return Date.now();
}
