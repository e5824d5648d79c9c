import type { Client } from "pg";
import { createListReader } from "../../functions/adapters/data-api/list-reader.ts";
import { LIST_BUDGET_MS, LIST_DEFAULT_EVENTS } from "../../functions/core/list-limits.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import type { Contender } from "../rounds.ts";
import { dayOf, DAYS, TYPES } from "./load-rows.ts";

const PAGES = 40;

/** Pages of (tenant, day, type): the reader's statement, and SQL that the owner writes for the same events. */
export function pageContenders(owner: Client, reader: SqlDatabase, tenants: readonly string[]): Contender[] {
  const lists = createListReader(reader);
  let asked = 0;
  const round = (page: (tenant: string, day: number, type: string) => Promise<number>) => async () => {
    // 7 has no factor in common with the days, so pages come from all over the table.
    const first = (asked += PAGES);
    const started = performance.now();
    for (let number = 0; number < PAGES; number++) {
      const tenant = tenants[(first + number) % tenants.length] ?? "";
      const rows = await page(tenant, ((first + number) * 7) % DAYS, TYPES[number % TYPES.length] ?? "");
      if (rows === 0) throw new Error(`The page of ${tenant} has no event.`);
    }
    return (performance.now() - started) / PAGES;
  };
  return [
    {
      name: "list_events",
      round: round(async (tenant, day, type) => {
        const part = await lists.list(
          {
            tenant,
            allowed: { types: undefined, sources: undefined },
            filter: { exact: { type } },
            ids: undefined,
            received: { from: dayOf(day), to: dayOf(day + 1) },
            produced: { from: undefined, to: undefined },
            isNewestFirst: true,
            horizon: undefined,
            after: undefined,
            maxEvents: LIST_DEFAULT_EVENTS,
            count: "none",
            budgetMs: LIST_BUDGET_MS,
          },
          Date.now() + 60_000,
        );
        return part.events.length;
      }),
    },
    {
      name: "SQL by hand, as the owner",
      round: round(async (tenant, day, type) => {
        const { rows } = await owner.query(BY_HAND, [tenant, type, dayOf(day), dayOf(day + 1), LIST_DEFAULT_EVENTS]);
        return rows.length;
      }),
    },
  ];
}

const BY_HAND = `
  select event_json(e) from events as e
  where tenant = $1 and type = $2 and received_at >= $3 and received_at < $4
  order by received_at desc, id desc limit $5`;
