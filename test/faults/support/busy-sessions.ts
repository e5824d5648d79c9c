import type { World } from "./world.ts";

export type BusySession = {
  pid: number;
  /** As pg_stat_activity has it: `active`, `idle in transaction` … */
  state: string;
  /** Since the statement began. */
  seconds: number;
  query: string;
};

/** Sessions of the Data API that run a statement or hold a transaction open. */
export function busySessions({ ask }: World): Promise<BusySession[]> {
  return ask<BusySession>(`
    select pid, state, extract(epoch from clock_timestamp() - query_start)::float8 as seconds, left(query, 60) as query
    from pg_stat_activity
    where application_name = 'sluice data api' and state <> 'idle'
  `);
}
