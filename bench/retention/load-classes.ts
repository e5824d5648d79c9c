import type { Client } from "pg";
import { RETENTION_DAYS, type Retention } from "../../functions/core/retention.ts";

/** A third of the rows each. */
export const CLASSES = ["7d", "30d", "400d"] as const satisfies readonly Retention[];

/** The last whole days; of the class `7d`, all but the last seven are due. */
export const DAYS = 30;

const DAY_MS = 86_400_000;
const dayOf = (age: number): string => new Date(Date.now() - age * DAY_MS).toISOString().slice(0, 10);

/**
 * Fills the tables of some classes and days with events of some 330 B, in sets: keys, events, a row for each transaction of
 * the feed, and for every fourth event the value of an indexed field. They are one tenant's, evenly over the day.
 * @returns rows of each class and day
 */
export async function loadClasses(clients: readonly [Client, ...Client[]], rows: number): Promise<number> {
  const perDay = Math.floor(rows / CLASSES.length / DAYS);
  const open = CLASSES.flatMap((name) => Array.from({ length: DAYS }, (_, at) => ({ name, day: dayOf(DAYS - at) })));
  const [client] = clients;
  for (const { name, day } of open) await client.query("select make_event_day($1, $2)", [RETENTION_DAYS[name], day]);
  const load = async (connection: Client) => {
    for (let each = open.shift(); each !== undefined; each = open.shift()) {
      const values = [each.day, RETENTION_DAYS[each.name], perDay];
      await connection.query("begin");
      for (const text of [INSERT_KEYS, INSERT_EVENTS, INSERT_FIELDS, INSERT_TRANSACTION])
        await connection.query({ text, values });
      await connection.query("commit");
    }
  };
  await Promise.all(clients.map(load));
  for (const table of ["events", "event_fields", "event_keys", "event_transactions"])
    await client.query(`vacuum analyze ${table}`);
  return perDay;
}

/** Of a day, a class and a number of rows: `tenant`, `id`, `source`, `received_at` and `retention` of each. */
const KEYS = `
  select
    'default' as tenant, '/shops/1' as source, $2::smallint as retention, number,
    '01939b3e-7c00-7' || lpad(to_hex(number % 4096), 3, '0') || '-8' || left(md5($1 || $2::text || number), 15) as id,
    ($1 || 'T00:00:00Z')::timestamptz + number * interval '86400 seconds' / $3::integer as received_at
  from generate_series(0, $3::integer - 1) as number`;

const INSERT_KEYS = `
  insert into event_keys (tenant, id, source, received_at, retention)
  select tenant, id, source, received_at, retention from (${KEYS}) as keys order by number`;

const INSERT_EVENTS = `
  insert into events (tenant, id, source, type, time, received_at, stored_at, retention, data)
  select
    tenant, id, source, 'com.example.order.placed', received_at, received_at, received_at + interval '1 second', retention,
    jsonb_build_object('orderId', 'o-' || number, 'customerId', 'c-' || number % 977, 'currency', 'EUR',
      'items', jsonb_build_array(jsonb_build_object('sku', 'SKU-1000', 'quantity', 1 + number % 3, 'unitAmount', 990 + number % 97)))
  from (${KEYS}) as keys order by number`;

const INSERT_FIELDS = `
  insert into event_fields (tenant, field, value, received_at, retention, id, source)
  select tenant, 1, hashint8(number % 977), received_at, retention, id, source
  from (${KEYS}) as keys where number % 4 = 0 order by number`;

const INSERT_TRANSACTION = `
  insert into event_transactions (tenant, day, events, retention)
  select 'default', $1::text::date, $3::integer, $2::smallint`;
