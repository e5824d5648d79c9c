import type { Client } from "pg";
import type { Filter } from "../../functions/core/filter/filter.ts";
import { isBoundSql } from "../../functions/core/filter/is-bound-sql.ts";
import { toPredicate, type FilterableEvent } from "../../functions/core/filter/predicate.ts";
import { toSql } from "../../functions/core/filter/to-sql.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";

/** Runs a filter as the functions of queries do: its SQL is part of a statement, its texts are not. */
const findByFilter = `
  create function find_by_filter(for_tenant text, condition text, parameters text[]) returns setof text
  language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
  begin
    perform set_config('app.tenant', for_tenant, true);
    return query execute format('select e.id from events as e where e.tenant = $2 and (%s)', condition)
      using parameters, for_tenant;
  end
  $body$`;

export type FilterComparison = {
  /** The events as `GET /events/{id}` answers them. */
  events: readonly FilterableEvent[];
  /** Pairs of a filter and an event that were compared, and those that matched. */
  pairs: { compared: number; matched: number };
  /** Filters that were compared, and those that matched some of the events: only they can tell a wrong compiler. */
  filters: { compared: number; telling: number };
  /** The first event for which SQL and predicate differ, with the answer of SQL. */
  compare(filter: Filter): Promise<{ event: FilterableEvent; bySql: boolean } | undefined>;
};

/** Compares the two forms of filters on the stored events of a tenant. `owner` makes a function in the database. */
export async function createFilterComparison(owner: Client, reader: Client, tenant: string): Promise<FilterComparison> {
  await owner.query(
    `drop function if exists find_by_filter; ${findByFilter}; grant execute on function find_by_filter to sluice_reader`,
  );
  const events = await readEvents(owner, tenant);
  const pairs = { compared: 0, matched: 0 };
  const filters = { compared: 0, telling: 0 };
  return {
    events,
    pairs,
    filters,
    async compare(filter) {
      const parameters: string[] = [];
      const condition = toSql(filter, parameters);
      if (!isBoundSql(condition)) throw new Error(`The SQL of a filter has other words: ${condition}`);
      const { rows } = await reader.query<{ id: string }>("select id from find_by_filter($1, $2, $3) as id", [
        tenant,
        condition,
        parameters,
      ]);
      const found = new Set(rows.map(({ id }) => id));
      const matches = toPredicate(filter);
      pairs.compared += events.length;
      pairs.matched += found.size;
      filters.compared += 1;
      if (found.size > 0 && found.size < events.length) filters.telling += 1;
      const event = events.find((each) => matches(each) !== found.has(String(each["id"])));
      return event === undefined ? undefined : { event, bySql: found.has(String(event["id"])) };
    },
  };
}

async function readEvents(owner: Client, tenant: string): Promise<FilterableEvent[]> {
  const { rows } = await owner.query<{ piece: string }>(
    "select piece from events as e cross join lateral read_event(e.tenant, e.id, e.source, 1, 1000000) where e.tenant = $1",
    [tenant],
  );
  return rows.map(({ piece }) => parseLossless(piece).lossless as FilterableEvent);
}
