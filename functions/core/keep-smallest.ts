/** Some of many items, each once. */
export type Sample<T> = { add(key: string, item: T): void; list(): readonly T[] };

/**
 * Keeps the items with the smallest keys, at most so many, and of one key the first. Of random keys that is a fair sample; and
 * whoever else keeps the smallest of the same keys keeps the same.
 */
export function keepSmallest<T>(most: number): Sample<T> {
  const kept: { key: string; item: T }[] = [];
  return {
    add(key, item) {
      const last = kept.at(-1);
      if (kept.length >= most && last !== undefined && key >= last.key) return;
      let place = kept.length;
      while (place > 0 && (kept[place - 1]?.key ?? "") >= key) place -= 1;
      if (kept[place]?.key === key) return;
      kept.splice(place, 0, { key, item });
      if (kept.length > most) kept.pop();
    },
    list: () => kept.map(({ item }) => item),
  };
}
