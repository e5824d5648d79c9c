import type { Client } from "pg";
import type { BenchEvent } from "../events.ts";

const LINES = `
    rows from (
      unnest(string_to_array($1, chr(10))::event_head[]),
      unnest(string_to_array($2, chr(10)))
    ) as given (
      tenant, id, source, type, subject, time, time_sent, received_at, class, dataschema, datacontenttype, extensions,
      data_base64, data
    )`;

/** The consumer's statement, reduced step by step to show the time of each step. */
export const STEPS = {
  /** The whole statement, with its text prepared. */
  statement: "select * from store_batch(string_to_array($1, chr(10)), string_to_array($2, chr(10)))",
  /** The same with the numbers of the ledger, for one producer. */
  numbered: `
    select * from store_batch(string_to_array($1, chr(10)), string_to_array($2, chr(10)), jsonb_build_object('groups', jsonb_build_array(jsonb_build_object(
      'tenant', 'default', 'producer', '0mi2x0000aaaaaaaaaaaa', 'events', cardinality(string_to_array($1, chr(10))),
      'numbers', '{[1,' || cardinality(string_to_array($1, chr(10))) + 1 || ')}'
    ))))`,
  /** Without keys, copies and bad events. */
  rows: `
    insert into events (tenant, id, source, type, time, received_at, retention, data)
    select tenant, id, source, type, time, received_at, 0, data::jsonb from ${LINES}`,
  /** Without writing. */
  reading: `
    select count(time), count(data::jsonb) from ${LINES}`,
} as const;

/** The lines of one call: the events without their data, and their data. */
type Lines = [heads: string, data: string];

/** Makes the lines of one call, as the consumer sends them. */
export function toLines(events: readonly BenchEvent[], receivedAt = new Date()): Lines {
  const received_at = receivedAt.toISOString();
  const sorted = events.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const heads = sorted.map(
    ({ id, source, type, time }) => `(default,${id},${source},${type},,${time},,${received_at},,,,,)`,
  );
  return [heads.join("\n"), sorted.map(({ data }) => JSON.stringify(data)).join("\n")];
}

export async function runStep(client: Client, sql: string, calls: readonly Lines[]): Promise<void> {
  for (const lines of calls) await client.query(sql, lines);
}
