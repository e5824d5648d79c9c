/** A way to store an event once per (tenant, source, id), for bench/dedupe.ts. Each candidate has its own schema. */
export type Candidate = {
  name: string;
  /** The column of the comparison, and the schema's name. */
  label: string;
  /** Creates the tables; the day partitions are for 2026-11-21 and -22. */
  tables: string;
  /** Stores a batch (`$1`, a JSON array) and returns the number of new events. */
  store: string;
  /** The partition of the first day; undefined if a day has none of its own. */
  firstDay?: string;
};

const KEY = `tenant text collate "C" not null, id text collate "C" not null, source text collate "C" not null`;

const COLUMNS = `
  ${KEY}, type text collate "C" not null, subject text, time timestamptz not null, time_sent text,
  received_at timestamptz not null, stored_at timestamptz not null default clock_timestamp(), dataschema text,
  datacontenttype text, extensions jsonb, data jsonb, data_base64 text`;

const GIVEN = `
  select distinct on (tenant, id, source) *
  from rows from (
    jsonb_to_recordset($1::text::jsonb) as (
      tenant text collate "C", id text collate "C", source text collate "C", type text, subject text, time timestamptz,
      time_sent text, received_at timestamptz, dataschema text, datacontenttype text, extensions jsonb, data jsonb,
      data_base64 text
    )
  ) with ordinality
  order by tenant, id, source, ordinality`;

const INSERTED = `tenant, id, source, type, subject, time, time_sent, received_at, dataschema, datacontenttype, extensions`;
const INTO_EVENTS = `insert into events (${INSERTED}, data, data_base64) select ${INSERTED}, data -> 0, data_base64`;

const EVENTS_BY_DAY = `
  create table events (${COLUMNS}) partition by range (received_at);
  create table events_20261121 partition of events for values from ('2026-11-21 00:00Z') to ('2026-11-22 00:00Z');
  create table events_20261122 partition of events for values from ('2026-11-22 00:00Z') to ('2026-11-23 00:00Z');
  create index on events (tenant, received_at, id)`;

const STORE_BY_KEYS = `
  with given as (${GIVEN}), fresh as (
    insert into event_keys (tenant, id, source, received_at)
    select tenant, id, source, received_at from given order by ordinality
    on conflict do nothing
    returning tenant, id, source
  ), stored as (${INTO_EVENTS} from fresh join given using (tenant, id, source) returning 1)
  select count(*)::int as stored from stored`;

const storeDirectly = (columns: string, values: string) => `
  with given as (${GIVEN}), stored as (
    insert into events (${INSERTED}, data, data_base64${columns})
    select ${INSERTED}, data -> 0, data_base64${values} from given
    on conflict do nothing
    returning 1
  )
  select count(*)::int as stored from stored`;

const byHash = (table: string) =>
  Array.from(
    { length: 8 },
    (_, i) => `;create table ${table}_${i} partition of ${table} for values with (modulus 8, remainder ${i})`,
  ).join("");

const DIGEST = "substring(sha256(convert_to(tenant || chr(31) || id || chr(31) || source, 'UTF8')) from 1 for 16)";

export const candidates: Candidate[] = [
  {
    label: "a",
    name: "key table in 8 hash partitions (today's)",
    tables: `
      create table event_keys (${KEY}, received_at timestamptz not null, primary key (tenant, id, source))
        partition by hash (tenant, id)${byHash("event_keys")};
      ${EVENTS_BY_DAY}`,
    store: STORE_BY_KEYS,
    firstDay: "events_20261121",
  },
  {
    label: "b",
    name: "key table, not partitioned",
    tables: `
      create table event_keys (${KEY}, received_at timestamptz not null, primary key (tenant, id, source));
      ${EVENTS_BY_DAY}`,
    store: STORE_BY_KEYS,
    firstDay: "events_20261121",
  },
  {
    label: "c",
    name: "no key table, events by hash of the key",
    tables: `
      create table events (${COLUMNS}, primary key (tenant, id, source)) partition by hash (tenant, id)${byHash("events")};
      create index on events (tenant, received_at, id)`,
    store: storeDirectly("", ""),
  },
  {
    label: "d",
    name: "no key table, the day in the primary key",
    tables: `
      create table events (${COLUMNS}, day date not null, primary key (tenant, id, source, day)) partition by range (day);
      create table events_20261121 partition of events for values from ('2026-11-21') to ('2026-11-22');
      create table events_20261122 partition of events for values from ('2026-11-22') to ('2026-11-23');
      create index on events (tenant, received_at, id)`,
    store: storeDirectly(", day", ", (received_at at time zone 'UTC')::date"),
    firstDay: "events_20261121",
  },
  {
    label: "e",
    name: "key table of 16-byte digests, in 8 hash partitions",
    tables: `
      create table event_keys (digest bytea primary key, received_at timestamptz not null)
        partition by hash (digest)${byHash("event_keys")};
      ${EVENTS_BY_DAY}`,
    store: `
      with given as (select *, ${DIGEST} as digest from (${GIVEN}) as distinct_given), fresh as (
        insert into event_keys (digest, received_at) select digest, received_at from given order by digest
        on conflict do nothing
        returning digest
      ), stored as (${INTO_EVENTS} from fresh join given using (digest) returning 1)
      select count(*)::int as stored from stored`,
    firstDay: "events_20261121",
  },
];
