import { setTimeout as delay } from "node:timers/promises";
import type { World } from "./world.ts";

/** A session of the Data API that runs a statement or holds a transaction open. */
export type BusySession = {
  /** As pg_stat_activity has it: `active`, `idle in transaction` … */
  state: string;
  /** Since its statement began. */
  seconds: number;
  query: string;
};

export function busySessions({ ask }: World): Promise<BusySession[]> {
  return ask<BusySession>(`
    select state, extract(epoch from clock_timestamp() - query_start)::float8 as seconds, left(query, 60) as query
    from pg_stat_activity
    where application_name = 'sluice data api' and state <> 'idle'
  `);
}

/** Looks at the sessions again and again; answers how many were busy at once, and how long the longest was. */
export function watchSessions(world: World): { stop: () => Promise<{ most: number; longestSeconds: number }> } {
  const seen = { most: 0, longestSeconds: 0 };
  const stopped = new AbortController();
  const watching = (async () => {
    while (!stopped.signal.aborted) {
      // PostgreSQL may be away.
      const sessions = await busySessions(world).catch(() => []);
      seen.most = Math.max(seen.most, sessions.length);
      seen.longestSeconds = Math.max(seen.longestSeconds, ...sessions.map(({ seconds }) => seconds));
      await delay(LOOK_MS);
    }
    return seen;
  })();
  return {
    stop: () => {
      stopped.abort();
      return watching;
    },
  };
}

/** Often enough to see most statements of some milliseconds, seldom enough not to matter. */
const LOOK_MS = 20;
