import type { Client } from "pg";
import { createListReader } from "../../functions/adapters/data-api/list-reader.ts";
import type { Filter } from "../../functions/core/filter/filter.ts";
import { LIST_BUDGET_MS } from "../../functions/core/list-limits.ts";
import type { ListScan } from "../../functions/core/list-reader.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { TENANT_MAX_QUERIES } from "../../functions/core/query-load-limits.ts";
import type { Contender } from "../rounds.ts";
import { dayOf, DAYS, INDEXED, TYPES } from "./load-rows.ts";

export const OURS = "list_events";
export const BY_HAND = "SQL by hand, as the owner";

const PAGES = 80;
const LOOKUP_DAYS = 30;

/** The page that both contenders ask for: the newest events of a tenant in some days. */
type Asked = { tenant: string; from: string; to: string; filter: Filter; limit: number };

/** Pages of (tenant, day, type). */
export function pageContenders(
  owner: Client,
  reader: SqlDatabase,
  { tenants, limit }: { tenants: readonly string[]; limit: number },
): Contender[] {
  const pages = (number: number) => {
    // 7 has no factor in common with the days, so pages come from all over the table.
    const day = (number * 7) % DAYS;
    const type = TYPES[number % TYPES.length] ?? "";
    const tenant = tenants[number % tenants.length] ?? "";
    return { tenant, from: dayOf(day), to: dayOf(day + 1), filter: { exact: { type } }, limit, values: [type] };
  };
  return contenders(owner, reader, pages, BY_TYPE);
}

/** Pages of (tenant, 30 days, type, value of a declared field); each value has an event in these days. */
export async function lookupContenders(
  owner: Client,
  reader: SqlDatabase,
  { tenants, limit }: { tenants: readonly string[]; limit: number },
): Promise<Contender[]> {
  const { rows } = await owner.query<{ number: number }>("select number from indexed_fields where type = $1", [
    INDEXED.type,
  ]);
  const field = rows[0]?.number;
  const asked: (Asked & { values: readonly unknown[] })[] = [];
  for (let number = 0; number < PAGES; number++) {
    const tenant = tenants[(number * 7) % tenants.length] ?? "";
    const first = (number * 7) % (DAYS - LOOKUP_DAYS);
    const range = { from: dayOf(first), to: dayOf(first + LOOKUP_DAYS) };
    const given = [tenant, INDEXED.type, range.from, range.to, number];
    const { rows: found } = await owner.query<{ value: string }>(A_VALUE, given);
    const value = found[0]?.value ?? "";
    const filter: Filter = { all: [{ exact: { type: INDEXED.type } }, { data: { [INDEXED.path[0]]: [value] } }] };
    asked.push({ tenant, ...range, filter, limit, values: [INDEXED.type, value, field] });
  }
  return contenders(owner, reader, (number) => asked[number % PAGES], BY_FIELD);
}

/** The same pages by the reader's statement, with a query slot as deployed, and by SQL that the owner writes for them. */
function contenders(
  owner: Client,
  reader: SqlDatabase,
  pages: (number: number) => (Asked & { values: readonly unknown[] }) | undefined,
  byHand: string,
): Contender[] {
  const lists = createListReader(reader, { maxOfTenant: TENANT_MAX_QUERIES });
  let asked = 0;
  const round = (read: (page: Asked & { values: readonly unknown[] }) => Promise<number>) => async () => {
    const first = (asked += PAGES);
    let milliseconds = 0;
    for (let number = first; number < first + PAGES; number++) {
      const page = pages(number);
      if (page === undefined) throw new Error("There is no such page.");
      const started = performance.now();
      const rows = await read(page);
      milliseconds += performance.now() - started;
      if (rows === 0) throw new Error(`The page of ${page.tenant} has no event.`);
    }
    return milliseconds / PAGES;
  };
  return [
    {
      name: OURS,
      round: round(async ({ tenant, from, to, filter, limit }) => {
        const scan: ListScan = {
          tenant,
          allowed: { types: undefined, sources: undefined },
          filter,
          ids: undefined,
          received: { from, to },
          produced: { from: undefined, to: undefined },
          isNewestFirst: true,
          horizon: undefined,
          after: undefined,
          maxEvents: limit,
          count: "none",
          budgetMs: LIST_BUDGET_MS,
        };
        return (await lists.list(scan, Date.now() + 60_000)).events.length;
      }),
    },
    {
      name: BY_HAND,
      round: round(async ({ tenant, from, to, limit, values }) => {
        const { rows } = await owner.query({
          text: byHand,
          values: [tenant, from, to, limit, ...values],
          rowMode: "array",
        });
        return rows.length;
      }),
    },
  ];
}

const BY_TYPE = `
  select event_json(e) from events as e
  where tenant = $1 and received_at >= $2 and received_at < $3 and type = $5
  order by received_at desc, id desc limit $4`;

/** A plain join would be planned as a hash join, which reads all events of the range. */
const BY_FIELD = `
  select event_json(e)
  from event_fields as k cross join lateral (
    select * from events
    where tenant = k.tenant and received_at = k.received_at and id = k.id and source = k.source
      and received_at >= $2 and received_at < $3
    limit 1
  ) as e
  where k.tenant = $1 and k.received_at >= $2 and k.received_at < $3
    and k.field = $7 and k.value = field_hash(to_jsonb($6::text)) and e.type = $5 and e.data ->> 'customerId' = $6
  order by k.received_at desc, k.id desc limit $4`;

const A_VALUE = `
  select data ->> 'customerId' as value from events
  where tenant = $1 and type = $2 and received_at >= $3 and received_at < $4
  order by received_at, id limit 1 offset $5 % 5`;
