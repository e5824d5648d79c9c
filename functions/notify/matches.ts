import { DatabaseError, RequestError } from "../core/errors.ts";
import type { Filter } from "../core/filter/filter.ts";
import { idsOf } from "../core/filter/ids-of.ts";
import type { ListReader } from "../core/list-reader.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { MATCHES_MAX, MATCHES_MS } from "../core/subscription-limits.ts";
import { toInstant } from "./to-request.ts";

/** The events of the last day that match a filter. */
export type Matches = {
  count: number;
  /** Whether there are exactly so many: false where there are more, or the time was over. */
  isComplete: boolean;
  /** The newest of them, as CloudEvents JSON texts. */
  events: string[];
};

/**
 * Counts the events of the last day that a caller may read and that match, up to a bound and for a bounded time. A database that
 * does not answer in that time makes the count incomplete, and never fails.
 */
export function createMatches({ reader, clock }: { reader: ListReader; clock: Clock }) {
  return async function matchesOf(
    { tenant, types, sources }: Pick<Principal, "tenant" | "types" | "sources">,
    filter: Filter | undefined,
    deadline: number,
  ): Promise<Matches> {
    const now = clock().getTime();
    const received = { from: toInstant(new Date(now - DAY_MS).toISOString()), to: undefined };
    try {
      const part = await reader.list(
        {
          tenant,
          allowed: { types, sources },
          filter,
          ids: idsOf(filter),
          received,
          produced: { from: undefined, to: undefined },
          isNewestFirst: true,
          horizon: undefined,
          after: undefined,
          maxEvents: MATCHES_MAX,
          count: "exact",
          budgetMs: Math.min(MATCHES_MS, deadline - now),
        },
        Math.min(deadline, now + MATCHES_MS + STATEMENT_RESERVE_MS),
      );
      const { value, relation } = part.count ?? { value: part.events.length, relation: "gte" };
      return { count: value, isComplete: relation === "eq", events: part.events };
    } catch (error) {
      if (!(error instanceof DatabaseError || error instanceof RequestError)) throw error;
      return { count: 0, isComplete: false, events: [] };
    }
  };
}

const DAY_MS = 86_400_000;

/** A statement ends some time behind its budget: it plans, and reads its last rows. */
const STATEMENT_RESERVE_MS = 1_500;
