import type { Client } from "pg";
import { RETENTION_DAYS } from "../../functions/core/retention.ts";

/** The days of the rows, each with a partition: the first one, and their number. */
const FIRST_DAY = Date.UTC(2026, 6, 1);
export const DAYS = 90;
const DAY_MS = 86_400_000;

/** The types of the rows, a quarter of them each. */
export const TYPES = [
  "com.example.order.placed",
  "com.example.log.entry",
  "com.example.notification.requested",
  "com.example.telemetry.reading",
] as const;

/** Their retention class, whatever the default of the stage: their days are long over in all others. */
const KEPT = RETENTION_DAYS.keep;

/** A declared index: the rows have 977 values of it. */
export const INDEXED = { type: TYPES[0], pointer: "/customerId", path: ["customerId"] } as const;

export const dayOf = (number: number): string => new Date(FIRST_DAY + number * DAY_MS).toISOString();

/** Times of a tenant's events in a day: from 9:00 on a thousand a minute, or evenly over the whole day. */
export type Density = "dense" | "thin";

/**
 * Stores rows of some 330 B by the function of the consumer's statement, so that keys, transactions and rollups are as it
 * writes them; then merges the rollups.
 * @param clients connections that share the days
 * @returns rows of each tenant and day
 */
export async function loadRows(
  clients: readonly [Client, ...Client[]],
  tenants: readonly string[],
  rows: number,
  density: Density = "dense",
): Promise<number> {
  const perDay = Math.floor(rows / DAYS / tenants.length);
  const [client] = clients;
  for (let day = 0; day < DAYS; day++) await client.query("select make_event_day($1, $2)", [KEPT, dayOf(day)]);
  await client.query("select declare_fields('measures', $1)", [
    JSON.stringify([{ type: "com.example.telemetry.reading", pointer: "/value", path: ["value"] }]),
  ]);
  await client.query("select declare_fields('indexed_fields', $1)", [JSON.stringify([INDEXED])]);
  for (const declared of ["measures", "indexed_fields"]) {
    await client.query(`update ${declared} set covered_from = $1`, [dayOf(0)]);
  }
  let next = 0;
  const load = async (connection: Client) => {
    for (let day = next++; day < DAYS; day = next++) {
      const { startMs, perEventMs } =
        density === "dense"
          ? { startMs: 9 * 60 * MINUTE_MS, perEventMs: MINUTE_MS / DENSE_PER_MINUTE }
          : { startMs: 0, perEventMs: DAY_MS / perDay };
      for (const [place, tenant] of tenants.entries()) {
        const first = (day * tenants.length + place) * perDay;
        for (let done = 0; done < perDay; done += CALL_EVENTS) {
          const at = new Date(FIRST_DAY + day * DAY_MS + startMs + done * perEventMs);
          const size = Math.min(CALL_EVENTS, perDay - done);
          const values = [tenant, first + done, size, at, TYPES, perEventMs];
          await connection.query({ name: "load", text: INSERT, values });
        }
      }
    }
  };
  await Promise.all(clients.map(load));
  for (let merged = 1; merged > 0; ) {
    const { rows: found } = await client.query<{ merged: number }>("select compact_rollups(now(), 50000) as merged");
    merged = found[0]?.merged ?? 0;
  }
  for (const table of ["events", "event_fields", "event_keys", "rollups", "rollup_deltas"])
    await client.query(`vacuum analyze ${table}`);
  return perDay;
}

const MINUTE_MS = 60_000;
const DENSE_PER_MINUTE = 1_000;
const CALL_EVENTS = 1_000;

/** Of one tenant: tenant, first serial, number of events, time of the first one, types, milliseconds between two. */
const INSERT = `
  select insert_all_new(array_agg(head), array_agg(data::text))
  from (
    select
      json_populate_record(null::event_head, json_build_object(
        'tenant', $1::text,
        'id', '01939b3e-7c00-7' || lpad(to_hex(serial % 4096), 3, '0') || '-8' || left(md5(serial::text), 3) || '-'
          || lpad(to_hex(serial), 12, '0'),
        'source', '/shops/1',
        'class', ${KEPT},
        'type', ($5::text[])[1 + serial % 4],
        'time', $4::timestamptz + number * interval '1 millisecond' * $6::float8,
        'received_at', $4::timestamptz + number * interval '1 millisecond' * $6::float8
      )) as head,
      case serial % 4
        when 0 then jsonb_build_object('orderId', 'o-' || serial, 'customerId', 'c-' || serial % 977, 'currency', 'EUR',
          'items', jsonb_build_array(
            jsonb_build_object('sku', 'SKU-1000', 'quantity', 1 + serial % 3, 'unitAmount', 990 + serial % 97)))
        when 1 then jsonb_build_object('level', 'info', 'message', 'GET /orders/' || serial || ' took ' || serial % 331 || ' ms',
          'service', 'api', 'context', jsonb_build_object('field0', 'value ' || serial, 'field1', serial / 4.0))
        when 2 then jsonb_build_object('channel', 'email', 'recipient', 'user' || serial || '@example.com',
          'template', 'order-sent', 'parameters', jsonb_build_object('parameter0', 'Größe für ' || serial))
        else jsonb_build_object('deviceId', 'd-' || serial % 211, 'sensor', 't1', 'value', 20 + serial % 90 / 8.0, 'unit', 'Cel',
          'register0', jsonb_build_array(serial, serial % 2 = 0, serial % 1000 / 16.0))
      end as data
    from (select number, $2::bigint + number as serial from generate_series(0, $3::integer - 1) as number) as numbered
  ) as made`;
