/** A number of places, which are taken and given back. A call that finds none waits; the longest wait ends first. */
export type Places = {
  /** Returns false if none was given back in time. */
  take(withinMs: number): Promise<boolean>;
  giveBack(): void;
};

export function createPlaces(total: number): Places {
  let free = total;
  const waiting = new Set<() => void>();
  return {
    async take(withinMs) {
      if (free > 0) {
        free -= 1;
        return true;
      }
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const proceed = () => resolve(true);
      const timer = setTimeout(() => {
        waiting.delete(proceed);
        resolve(false);
      }, withinMs);
      waiting.add(proceed);
      return promise.finally(() => clearTimeout(timer));
    },
    giveBack() {
      const [longest] = waiting;
      if (longest === undefined) {
        free += 1;
        return;
      }
      waiting.delete(longest);
      longest();
    },
  };
}
