import { RequestError } from "../core/errors.ts";
import type { ListReader } from "../core/list-reader.ts";
import type { Clock } from "../core/ports.ts";
import { QUERY_FIRST_PAUSE_MS, QUERY_WAIT_MS } from "../core/query-load-limits.ts";

/** A reader of lists that waits for a moment where the tenant has as many pages under way as it may have. */
export function awaitSlot(
  reader: ListReader,
  { clock, wait, random }: { clock: Clock; wait: (milliseconds: number) => Promise<unknown>; random: () => number },
): ListReader {
  return {
    async list(scan, deadline) {
      const until = clock().getTime() + QUERY_WAIT_MS;
      for (let pause = QUERY_FIRST_PAUSE_MS; ; pause *= 2) {
        let left: number;
        try {
          return await reader.list(scan, deadline);
        } catch (error) {
          const isBusy = error instanceof RequestError && error.code === "too_many_queries";
          left = until - clock().getTime();
          if (!isBusy || left <= 0) throw error;
        }
        await wait(Math.min(pause * (0.5 + random()), left));
      }
    },
  };
}
