/** The time in which a process asks for no tokens of one bucket. */
export type Pause = {
  /** Both in ms since the epoch. */
  from: number;
  until: number;
  /** Throttled calls since the last one that was answered. */
  throttles: number;
};

/**
 * A process that finds a bucket emptier than this part waits for the time in which it comes back, at most 100 ms, before it
 * asks again: a tenant at its limit costs some 20 leases a second and process.
 */
export const LOW = 1 / 20;
const LONGEST_LOW_MS = 100;

/**
 * The mean pause after a throttled call, and the most that it grows to: doubled by each further one. DynamoDB takes about
 * 1,000 writes a second for one item, so 500 processes may ask every 500 ms, and 4,000 every 4 s.
 */
const THROTTLED_MS = 500;
const LONGEST_THROTTLED_MS = 4_000;

/** After so many throttled calls in a row the pause grows no more. */
export const MANY_THROTTLES = 4;

export const noPause = (): Pause => ({ from: 0, until: 0, throttles: 0 });

/** A clock that was set back to before the pause ends it. */
export function isPaused({ from, until }: Pause, nowMs: number): boolean {
  return from <= nowMs && nowMs < until;
}

/** Pauses after an answer that left a bucket almost empty, which fills in `spanMs`. */
export function pauseAfterLow(pause: Pause, spanMs: number, nowMs: number, random: () => number): void {
  start(pause, Math.min(spanMs * LOW, LONGEST_LOW_MS), nowMs, random);
}

export function pauseAfterThrottle(pause: Pause, nowMs: number, random: () => number): void {
  start(pause, Math.min(THROTTLED_MS * 2 ** pause.throttles, LONGEST_THROTTLED_MS), nowMs, random);
  pause.throttles++;
}

/** Processes that pause equally long would always ask in the same order, and the first would get all. */
function start(pause: Pause, meanMs: number, nowMs: number, random: () => number): void {
  pause.from = nowMs;
  pause.until = nowMs + meanMs * (0.5 + random());
}
