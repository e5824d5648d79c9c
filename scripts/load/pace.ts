import { setTimeout as delay } from "node:timers/promises";

export type PaceOptions = {
  eventsPerSecond: number;
  /** In all. */
  events: number;
  /** The events of the next request. */
  nextSize: () => number;
  /** Sends a request; `due` is its time on the clock of `performance.now()`. */
  send: (size: number, due: number) => Promise<void>;
  /** Requests under way, at most; a request that waits for a place keeps its due time. */
  atOnce: number;
  signal: AbortSignal;
};

/**
 * Sends requests at the times that the rate says, whether or not those before were answered: an open model. A closed one sends
 * less as soon as the system is slow, and so hides the wait ("coordinated omission", https://github.com/giltene/wrk2).
 */
export async function sendAtRate(options: PaceOptions): Promise<void> {
  const { eventsPerSecond, events, nextSize, send, atOnce, signal } = options;
  const begun = performance.now();
  const underWay = new Set<Promise<void>>();
  for (let sent = 0; sent < events && !signal.aborted; ) {
    const due = begun + (1_000 * sent) / eventsPerSecond;
    const early = due - performance.now();
    if (early > 0) await delay(early, undefined, { signal }).catch(() => undefined);
    while (underWay.size >= atOnce) await Promise.race(underWay);
    if (signal.aborted) break;
    const size = Math.min(nextSize(), events - sent);
    sent += size;
    const done = send(size, due).finally(() => underWay.delete(done));
    underWay.add(done);
  }
  await Promise.all(underWay);
}
