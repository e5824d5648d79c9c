import { RequestError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { QUERY_FIRST_PAUSE_MS, QUERY_WAIT_MS } from "../core/query-load-limits.ts";

/** A reader each of whose queries waits for a moment where the tenant has as many under way as it may have. */
export function awaitSlot<Reader extends Record<string, (...given: never[]) => Promise<unknown>>>(
  reader: Reader,
  { clock, wait, random }: { clock: Clock; wait: (milliseconds: number) => Promise<unknown>; random: () => number },
): Reader {
  const waiting =
    (query: (...given: never[]) => Promise<unknown>) =>
    async (...given: never[]) => {
      const until = clock().getTime() + QUERY_WAIT_MS;
      for (let pause = QUERY_FIRST_PAUSE_MS; ; pause *= 2) {
        let left: number;
        try {
          return await query(...given);
        } catch (error) {
          const isBusy = error instanceof RequestError && error.code === "too_many_queries";
          left = until - clock().getTime();
          if (!isBusy || left <= 0) throw error;
        }
        await wait(Math.min(pause * (0.5 + random()), left));
      }
    };
  return Object.fromEntries(Object.entries(reader).map(([name, query]) => [name, waiting(query)])) as Reader;
}
