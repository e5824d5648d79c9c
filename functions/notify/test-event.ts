import type { Filter } from "../core/filter/filter.ts";
import type { Reason } from "../core/filter/reason.ts";
import type { EventReader } from "../core/ports.ts";
import { explainMatch, findTested, type TestedEvent } from "./explain-match.ts";
import type { Caller, FindSubscription } from "./find-subscription.ts";
import { toFilter } from "./to-start.ts";

/** @param events reads one event, for a test by its id */
export type TestDeps = { find: FindSubscription; events: EventReader };

/**
 * Tests an event against a filter, or a subscription: the reasons why it does not match.
 * @throws RequestError `no_such_subscription`, `not_found`, `ambiguous_id`; DatabaseError
 */
export function createEventTest({ find, events }: TestDeps) {
  return async function test(
    caller: Caller,
    { of, event: tested }: { of: { filter: Filter } | { subscription: string }; event: TestedEvent },
    deadline: number,
  ): Promise<Reason[]> {
    const { filter, allowed } = "filter" in of ? { ...of, allowed: caller } : await filterOf(of.subscription);
    return explainMatch(filter, allowed, await findTested(tested, caller, { events, deadline }));

    async function filterOf(id: string) {
      const { filter, allowed } = await find(caller, id, deadline);
      return { filter: toFilter(filter), allowed };
    }
  };
}
