import type { EventPages, MatchingEvents } from "../core/event-pages.ts";
import { idsOf } from "../core/filter/ids-of.ts";
import { parseFilter } from "../core/filter/filter.ts";
import { toMicroseconds } from "../core/instant.ts";
import { LIST_BUDGET_MS } from "../core/list-limits.ts";
import type { ListReader, ListScan, Position } from "../core/list-reader.ts";
import { parseLossless } from "../core/lossless-json.ts";

const EVERY_TIME = { from: undefined, to: undefined };

/** The pages of an export, read as those of a list: the same filter, the same set at a horizon, the same texts. */
export function createEventPages(reader: ListReader): EventPages {
  return {
    async read({ events, horizon, after, limit }, deadline) {
      const position = after === undefined ? undefined : (JSON.parse(after) as Position);
      const scan = { ...scanOf(events), horizon, after: position, maxEvents: limit, count: "none" as const };
      const part = await reader.list(scan, deadline);
      if (part.hasMore && part.last === undefined) throw new Error("The position of the next page is missing.");
      const next = part.hasMore ? JSON.stringify(part.last) : undefined;
      return { events: part.events, horizon: part.horizon, scanned: part.scanned, next };
    },

    async plan(events, sample, deadline) {
      const whole = { horizon: undefined, after: undefined };
      const scan = { ...scanOf(events), ...whole, maxEvents: sample, count: "estimate" as const };
      const part = await reader.list(scan, deadline);
      if (part.count === undefined) throw new Error("The count of events is missing.");
      const { value, relation } = part.count;
      return { rows: value, relation: relation === "eq" ? "exact" : relation, sample: part.events };
    },
  };
}

type Fixed = "horizon" | "after" | "maxEvents" | "count";

function scanOf({ tenant, allowed, filter, from, to }: MatchingEvents): Omit<ListScan, Fixed> {
  const parsed = filter === undefined ? undefined : parseFilter(parseLossless(filter).lossless);
  return {
    tenant,
    allowed,
    filter: parsed,
    ids: idsOf(parsed),
    received: { from: toBound(from), to: toBound(to) },
    produced: EVERY_TIME,
    isNewestFirst: false,
    budgetMs: LIST_BUDGET_MS,
  };
}

const toBound = (time: string | undefined) => (time === undefined ? undefined : toMicroseconds(time));
