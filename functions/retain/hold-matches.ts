import { DatabaseError, RequestError } from "../core/errors.ts";
import type { Filter } from "../core/filter/filter.ts";
import { idsOf } from "../core/filter/ids-of.ts";
import { HOLD_MATCHES_MAX, HOLD_MATCHES_MS } from "../core/hold-limits.ts";
import type { ListReader } from "../core/list-reader.ts";
import type { Clock } from "../core/ports.ts";

/** The stored events that match a filter. */
export type HoldMatches = {
  count: number;
  /** Whether there are exactly so many: false where there are more, or the time was over. */
  isComplete: boolean;
  /** The newest of them, as CloudEvents JSON texts. */
  events: string[];
};

/**
 * Counts the events of a tenant that match, up to a bound and for a bounded time. A database that does not answer in that time makes
 * the count incomplete, and never fails: the hold is made by then.
 */
export function createHoldMatches({ reader, clock }: { reader: ListReader; clock: Clock }) {
  return async function matchesOf(tenant: string, filter: Filter | undefined, deadline: number): Promise<HoldMatches> {
    const now = clock().getTime();
    try {
      const part = await reader.list(
        {
          tenant,
          allowed: { types: undefined, sources: undefined },
          filter,
          ids: idsOf(filter),
          received: { from: undefined, to: undefined },
          produced: { from: undefined, to: undefined },
          isNewestFirst: true,
          horizon: undefined,
          after: undefined,
          maxEvents: HOLD_MATCHES_MAX,
          count: "exact",
          budgetMs: Math.max(Math.min(HOLD_MATCHES_MS, deadline - now), 1),
        },
        Math.min(deadline, now + HOLD_MATCHES_MS + STATEMENT_RESERVE_MS),
      );
      const { value, relation } = part.count ?? { value: part.events.length, relation: "gte" };
      return { count: value, isComplete: relation === "eq", events: part.events };
    } catch (error) {
      if (!(error instanceof DatabaseError || error instanceof RequestError)) throw error;
      return { count: 0, isComplete: false, events: [] };
    }
  };
}

/** A statement ends some time behind its budget: it plans, and reads its last rows. */
const STATEMENT_RESERVE_MS = 1_500;
