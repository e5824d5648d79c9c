import type { Client } from "pg";
import type { BenchEvent } from "../events.ts";

/** What the consumer's statement does, cut off after each step: they show where its time goes. */
export const STEPS = {
  /** All of it, with its text made before. */
  statement: "select * from store_batch(string_to_array($1, chr(10)))",
  /** Neither keys nor copies nor bad events. */
  rows: `
    insert into events (tenant, id, source, type, time, received_at, data)
    select tenant, id, source, type, time, received_at, data -> 0
    from jsonb_to_recordset(('[' || replace($1, chr(10), ',') || ']')::jsonb)
      as given (tenant text, id text, source text, type text, time timestamptz, received_at timestamptz, data jsonb)`,
  /** Nothing is written. */
  reading: `
    select count(data)
    from jsonb_to_recordset(('[' || replace($1, chr(10), ',') || ']')::jsonb)
      as given (tenant text, id text, source text, type text, time timestamptz, received_at timestamptz, data jsonb)`,
} as const;

/** The lines of one call, as the consumer sends them. */
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
