import type { Client } from "pg";
import type { BenchEvent } from "../events.ts";

/** The consumer's statement, reduced step by step to show the time of each step. */
export const STEPS = {
  /** The whole statement, with its text prepared. */
  statement: "select * from store_batch(string_to_array($1, chr(10)))",
  /** The same with the numbers of the ledger, for one producer. */
  numbered: `
    select * from store_batch(string_to_array($1, chr(10)), jsonb_build_object('groups', jsonb_build_array(jsonb_build_object(
      'tenant', 'default', 'producer', '0mi2x0000aaaaaaaaaaaa', 'events', cardinality(string_to_array($1, chr(10))),
      'numbers', '{[1,' || cardinality(string_to_array($1, chr(10))) + 1 || ')}'
    ))))`,
  /** Without keys, copies and bad events. */
  rows: `
    insert into events (tenant, id, source, type, time, received_at, retention, data)
    select tenant, id, source, type, time, received_at, 0, data -> 0
    from jsonb_to_recordset(('[' || replace($1, chr(10), ',') || ']')::jsonb)
      as given (tenant text, id text, source text, type text, time timestamptz, received_at timestamptz, data jsonb)`,
  /** Without writing. */
  reading: `
    select count(data)
    from jsonb_to_recordset(('[' || replace($1, chr(10), ',') || ']')::jsonb)
      as given (tenant text, id text, source text, type text, time timestamptz, received_at timestamptz, data jsonb)`,
} as const;

/** Makes the lines of one call, as the consumer sends them. */
export function toLines(events: readonly BenchEvent[]): string {
  const received_at = new Date().toISOString();
  return events
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, source, type, time, data }) =>
      JSON.stringify({ tenant: "default", id, source, type, time, received_at, data: [data] }),
    )
    .join("\n");
}

export async function runStep(client: Client, sql: string, calls: readonly string[]): Promise<void> {
  for (const lines of calls) await client.query(sql, [lines]);
}
