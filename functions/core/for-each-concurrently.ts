/** Works on all items, at most `limit` at a time; the next begins when one has ended. */
export async function forEachConcurrently<T>(
  items: readonly T[] | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const list = Array.isArray(items) ? (items as readonly T[]) : undefined;
  const worker = list === undefined ? pullFrom(items as AsyncIterable<T>, work) : takeFrom(list, work);
  await Promise.all(Array.from({ length: Math.min(limit, list?.length ?? limit) }, worker));
}

function takeFrom<T>(items: readonly T[], work: (item: T) => Promise<void>) {
  let next = 0;
  return async () => {
    for (let index = next++; index < items.length; index = next++) await work(items[index] as T);
  };
}

function pullFrom<T>(items: AsyncIterable<T>, work: (item: T) => Promise<void>) {
  const iterator = items[Symbol.asyncIterator]();
  return async () => {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) await work(next.value);
  };
}
