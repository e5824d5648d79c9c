/**
 * Works on items one at a time, in order, and makes the next item while the work on the one before waits for an answer.
 * @throws what making or working throws; no work is under way then
 */
export async function workAhead<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  for (let next = iterator.next(); !next.done; ) {
    const working = work(next.value);
    // The work may fail before it is awaited.
    working.catch(() => undefined);
    try {
      // Yield once, so that the request starts to leave before the processor is busy with the next item.
      await new Promise((resolve) => setImmediate(resolve));
      next = iterator.next();
    } finally {
      await working;
    }
  }
}
