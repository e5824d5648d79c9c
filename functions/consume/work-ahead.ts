import { setImmediate } from "node:timers/promises";

/**
 * Works through items one at a time, in order, and makes the next one while the work on the one before it waits for an
 * answer.
 * @throws what making or working throws; no work is under way then
 */
export async function workAhead<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  for (let next = iterator.next(); !next.done; ) {
    const working = work(next.value);
    // It may fail before it is waited for.
    working.catch(() => undefined);
    try {
      // Its call begins to leave before the processor is busy with the next item; of a large body over TLS the rest
      // leaves after that.
      await setImmediate();
      next = iterator.next();
    } finally {
      await working;
    }
  }
}
