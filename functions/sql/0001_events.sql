-- Why: the events, stored exactly once per (tenant, source, id) for as long as they are retained.
-- Locks: new tables only.
--
-- This file goes through the Data API, whose scanner takes a colon followed by a word for a parameter, also inside
-- dollar quotes, and stumbles over backslashes: there is neither in here.

-- One key per event, of any day: uniqueness that a table partitioned by day cannot give, because its unique keys must
-- contain the day. Equality and order are byte for byte (collation C). Hash partitions keep each index small.
-- The key starts with (tenant, id), so that it also answers "which event has this id" without the source.
create table event_keys (
  tenant text collate "C" not null,
  id text collate "C" not null,
  source text collate "C" not null,
  received_at timestamptz not null,
  primary key (tenant, id, source)
) partition by hash (tenant, id);

create table event_keys_0 partition of event_keys for values with (modulus 8, remainder 0);
create table event_keys_1 partition of event_keys for values with (modulus 8, remainder 1);
create table event_keys_2 partition of event_keys for values with (modulus 8, remainder 2);
create table event_keys_3 partition of event_keys for values with (modulus 8, remainder 3);
create table event_keys_4 partition of event_keys for values with (modulus 8, remainder 4);
create table event_keys_5 partition of event_keys for values with (modulus 8, remainder 5);
create table event_keys_6 partition of event_keys for values with (modulus 8, remainder 6);
create table event_keys_7 partition of event_keys for values with (modulus 8, remainder 7);

-- The events, by the UTC day they were received: a value fixed at the door that travels with the message.
create table events (
  tenant text collate "C" not null,
  id text collate "C" not null,
  source text collate "C" not null,
  type text collate "C" not null,
  subject text,
  time timestamptz not null,
  -- The time as it was sent where a timestamptz cannot give it back: with an offset, or without milliseconds.
  time_sent text,
  received_at timestamptz not null,
  stored_at timestamptz not null default clock_timestamp(),
  dataschema text,
  datacontenttype text,
  extensions jsonb,
  -- NULL: the event has no data, or it is binary. The JSON value null is 'null'::jsonb.
  data jsonb,
  -- Data that is neither JSON nor text.
  data_base64 text
) partition by range (received_at);

-- Finds one event by the key table's received_at, and lists a tenant's events in the order they came.
create index events_by_arrival on events (tenant, received_at, id);

-- Makes the partitions of the days from first_day to last_day that are missing. Rows of a day without partition are
-- refused by Postgres (23514) and wait in the queue; they are never lost.
create function ensure_event_partitions(first_day date, last_day date) returns integer
language plpgsql as $body$
declare
  wanted date;
  made integer = 0;
begin
  for wanted in select generate_series(first_day, last_day, interval '1 day')::date loop
    if to_regclass('events_' || to_char(wanted, 'YYYYMMDD')) is null then
      execute format(
        'create table %I partition of events for values from (%L) to (%L)',
        'events_' || to_char(wanted, 'YYYYMMDD'),
        wanted::text || ' 00:00:00+00',
        (wanted + 1)::text || ' 00:00:00+00'
      );
      made = made + 1;
    end if;
  end loop;
  return made;
end
$body$;
