import type { Cursors } from "../core/cursor.ts";
import type { Filter } from "../core/filter/filter.ts";
import type { LIST_ORDERS } from "../core/list-bodies.ts";
import { idsOf } from "../core/filter/ids-of.ts";
import { LIST_BUDGET_MS } from "../core/list-limits.ts";
import type { Count, CountMode, ListReader, Plan, Position, Range } from "../core/list-reader.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";

export type Order = (typeof LIST_ORDERS)[number];

export type ListRequest = {
  /** The caller, who may read the events of the tenant whose type and source the key allows. */
  principal: Pick<Principal, "tenant" | "types" | "sources">;
  filter: Filter | undefined;
  received: Range;
  produced: Range;
  order: Order;
  limit: number;
  /** `next` or `prev` of another page. */
  cursor: string | undefined;
  count: CountMode;
  /** Time by which the answer must be ready, ms since the epoch. */
  deadline: number;
};

export type ListPage = {
  /** CloudEvents JSON texts. */
  events: string[];
  /** The cursors of the pages behind and before it; null where there is none. */
  next: string | null;
  prev: string | null;
  /** The direction in which the pages of its cursor follow each other. */
  direction: "next" | "prev";
  /** False where the time was over before the page was full. */
  isComplete: boolean;
  plan: Plan;
  /** Events that were looked at. */
  scanned: number;
  count: Count | undefined;
};

/** The place where a page begins, as its cursor has it. Without a position: at the beginning of its direction. */
type Place = [
  direction: ListPage["direction"],
  horizon: string,
  position: Position | null,
  count?: [Count["value"], Count["relation"]],
];

/**
 * Lists a page of events in the order they were received. The set of all pages is fixed by the first one: events that are
 * stored later are in none of them. The text of an event is the one that `GET /events/{id}` returns, and is not parsed.
 */
export function createList(deps: {
  reader: ListReader;
  cursors: Cursors;
  clock: Clock;
  /** The time of a page in the database. @default LIST_BUDGET_MS */
  budgetMs?: number;
}) {
  /** @throws RequestError `bad_cursor`, `cursor_mismatch`, `cursor_expired`; DatabaseError from the reader */
  return async function list(request: ListRequest): Promise<ListPage> {
    const { principal, filter, received, produced, order, limit, cursor, deadline } = request;
    const { tenant, types, sources } = principal;
    const binding = { tenant, request: [filter, received, produced, order, request.count, types, sources] };
    const [direction, horizon, after, counted] =
      cursor === undefined
        ? (["next", undefined, null] as const)
        : ((await deps.cursors.read("list", binding, cursor)) as Place);

    const part = await deps.reader.list(
      {
        tenant,
        allowed: { types, sources },
        filter,
        ids: idsOf(filter),
        received,
        produced,
        isNewestFirst: (order === "-receivedAt") === (direction === "next"),
        horizon,
        after: after ?? undefined,
        maxEvents: limit,
        count: cursor === undefined ? request.count : "none",
        budgetMs: Math.min(deps.budgetMs ?? LIST_BUDGET_MS, deadline - deps.clock().getTime()),
      },
      deadline,
    );

    const count = counted ?? (part.count && ([part.count.value, part.count.relation] as const));
    const write = (to: Place[0], position: Position | null) => {
      const place: Place = [to, part.horizon, position, ...(count === undefined ? [] : [[...count] as const])] as Place;
      return deps.cursors.write("list", binding, place);
    };
    const ahead = part.hasMore ? await write(direction, part.last ?? null) : null;
    const behind =
      after === null ? null : await write(direction === "next" ? "prev" : "next", part.first ?? part.last ?? null);
    return {
      events: direction === "next" ? part.events : part.events.toReversed(),
      next: direction === "next" ? ahead : behind,
      prev: direction === "next" ? behind : ahead,
      direction,
      isComplete: part.isComplete,
      plan: part.plan,
      scanned: part.scanned,
      count: count && { value: count[0], relation: count[1] },
    };
  };
}
