import { setTimeout as delay } from "node:timers/promises";

/**
 * Waits for `work`, which is to end by a deadline of its own that is far below `milliseconds`.
 * @throws Error once so many milliseconds are over
 */
export function soonerThan<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const late = delay(milliseconds, undefined, { ref: false }).then(() => {
    throw new Error(`It took ${milliseconds} ms or more.`);
  });
  return Promise.race([work, late]);
}
