import { setTimeout as delay } from "node:timers/promises";
import type { FaultStack } from "./fault-stack.ts";

/** A session of the Data API that runs a statement or holds a transaction open. */
export type BusySession = {
  /** As pg_stat_activity has it: `active`, `idle in transaction` … */
  state: string;
  /** Since its statement began. */
  seconds: number;
  query: string;
};

export function busySessions({ ask }: FaultStack): Promise<BusySession[]> {
  return ask<BusySession>(`
    select state, extract(epoch from clock_timestamp() - query_start)::float8 as seconds, left(query, 60) as query
    from pg_stat_activity
    where application_name = 'sluice data api' and state <> 'idle'
  `);
}

/** Looks at the sessions again and again; answers how long the longest statement ran, in seconds. */
export function watchSessions(stack: FaultStack): { stop: () => Promise<number> } {
  const stopped = new AbortController();
  const watching = (async () => {
    let longest = 0;
    while (!stopped.signal.aborted) {
      const sessions = await busySessions(stack);
      longest = Math.max(longest, ...sessions.map(({ seconds }) => seconds));
      await delay(LOOK_MS);
    }
    return longest;
  })();
  return {
    stop: () => {
      stopped.abort();
      return watching;
    },
  };
}

const LOOK_MS = 50;
