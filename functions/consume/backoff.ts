import { BACKOFF_MAX_SECONDS } from "../core/limits.ts";

/**
 * Seconds a failed message waits before it comes again: doubles with each delivery up to the maximum, and is drawn
 * from the upper half, so that messages that failed together do not come back together.
 * @param random from 0 (included) to 1 (excluded)
 */
export function backoffSeconds(receiveCount: number, random: number): number {
  const ceiling = Math.min(2 ** Math.min(receiveCount, 30), BACKOFF_MAX_SECONDS);
  return Math.max(1, Math.round(ceiling * (0.5 + random / 2)));
}
