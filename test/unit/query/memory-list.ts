import type { ListReader } from "../../../functions/core/list-reader.ts";
import { createCursors } from "../../../functions/core/cursor.ts";
import { createList, type ListRequest } from "../../../functions/query/list.ts";
import { adminOf } from "../../support/principal.ts";
import { createManualClock } from "../../support/manual-clock.ts";

/** A list over events in memory, oldest first, in which a page takes a time. Its pages have at most `pageEvents` events. */
export function memoryList(
  events: readonly string[],
  {
    pageEvents = 1_000,
    pageMs = 10,
    failures = {},
  }: {
    pageEvents?: number;
    pageMs?: number;
    /** The errors of pages, by their place from 1. */
    failures?: Readonly<Record<number, Error>>;
  } = {},
) {
  const clock = createManualClock();
  const limits: number[] = [];
  const reader: ListReader = {
    async list({ after, isNewestFirst, maxEvents }) {
      const failure = failures[limits.push(maxEvents)];
      if (failure !== undefined) throw failure;
      clock.advance(pageMs);
      const inOrder = [...events.entries()].map(([place, event]) => ({ place, event }));
      if (isNewestFirst) inOrder.reverse();
      const rest =
        after === undefined
          ? inOrder
          : inOrder.slice(inOrder.findIndex(({ place }) => placeOf(place) === after[0]) + 1);
      const page = rest.slice(0, Math.min(maxEvents, pageEvents));
      const at = (index: number) => {
        const row = page.at(index);
        return row === undefined ? undefined : ([placeOf(row.place), "id", "/s"] as const);
      };
      return {
        events: page.map(({ event }) => event),
        horizon: "7",
        plan: "scan",
        scanned: page.length,
        isComplete: true,
        hasMore: page.length < rest.length,
        first: at(0),
        last: at(-1),
        count: undefined,
      };
    },
  };
  const list = createList({
    reader,
    cursors: createCursors(async () => new TextEncoder().encode("a secret of tests")),
    clock: () => new Date(clock.now()),
  });
  return { list, limits, clock };
}

const placeOf = (place: number) => `2026-11-21T00:00:00.${String(place).padStart(6, "0")}Z`;

/** A request without parameters, oldest events first. */
export const wholeList = (deadline = Number.MAX_SAFE_INTEGER): Omit<ListRequest, "limit"> => ({
  principal: adminOf("t"),
  filter: undefined,
  received: { from: undefined, to: undefined },
  produced: { from: undefined, to: undefined },
  order: "receivedAt",
  cursor: undefined,
  count: "none",
  deadline,
});
