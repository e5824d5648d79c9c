import { RequestError } from "../core/errors.ts";
import type { ConsumerLag, LagReader } from "../core/feed.ts";
import type { Clock } from "../core/ports.ts";
import { LAG_KNOWN_MS, LAG_READ_EVERY_MS, SHED_LAG_MS, SHED_RETRY_AFTER_SECONDS } from "../core/query-load-limits.ts";

/**
 * Refuses queries while the consumer lags, so that the database stores events first. The lag comes from the consumer's mark,
 * which a process reads at most every few seconds. Where it cannot be read, or is old, no lag is known and queries go on.
 */
export function createShedQueries({ lag, clock }: { lag: LagReader; clock: Clock }) {
  let known: { lag: ConsumerLag | undefined; readAt: number } | undefined;

  /** @throws RequestError `queries_shed` */
  return async function shedQueries(): Promise<void> {
    const now = clock().getTime();
    if (known === undefined || now - known.readAt >= LAG_READ_EVERY_MS) known = { lag: await lag.read(), readAt: now };
    if (known.lag === undefined || known.lag.lagMs < SHED_LAG_MS || now - known.lag.at > LAG_KNOWN_MS) return;
    const seconds = Math.round(known.lag.lagMs / 1_000);
    throw new RequestError(
      "queries_shed",
      `Events wait ${seconds} s to be stored, and are stored first. Ask again after ${SHED_RETRY_AFTER_SECONDS} s.`,
      { headers: { "retry-after": String(SHED_RETRY_AFTER_SECONDS) }, metrics: { QueriesShed: 1 } },
    );
  };
}
