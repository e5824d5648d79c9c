-- Why: the events, stored exactly once per (tenant, source, id) for as long as they are retained.
-- Locks: new tables only.
--
-- This file goes through the Data API, whose scanner takes a single colon followed by a word for a parameter, also
-- inside dollar quotes, and stumbles over backslashes: there is neither in here.

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

-- Stores events, all or none, and answers how many were new. The key table decides; sorting by key makes two writers of
-- the same keys wait for each other in one order instead of deadlocking. Of two copies in one batch the first counts.
create function store_events(batch jsonb) returns bigint
language sql as $body$
  with given as (
    select distinct on (tenant, id, source) *
    from rows from (
      jsonb_to_recordset(batch) as (
        tenant text, id text, source text, type text, subject text, time timestamptz, time_sent text,
        received_at timestamptz, dataschema text, datacontenttype text, extensions jsonb, data jsonb, data_base64 text
      )
    ) with ordinality
    order by tenant, id, source, ordinality
  ),
  fresh as (
    insert into event_keys (tenant, id, source, received_at)
    select tenant, id, source, received_at from given
    on conflict do nothing
    returning tenant, id, source
  ),
  stored as (
    insert into events (
      tenant, id, source, type, subject, time, time_sent, received_at, dataschema, datacontenttype, extensions, data,
      data_base64
    )
    select
      tenant, id, source, type, subject, time, time_sent, received_at, dataschema, datacontenttype, extensions,
      data -> 0, data_base64
    from fresh join given using (tenant, id, source)
    returning 1
  )
  select count(*) from stored
$body$;

-- Stores events each by itself: what is wrong with one does not stop the others. A row for each event that was refused
-- for what is in it, and one with place -1 whose message is how many were new. The batch is json, not jsonb, because
-- jsonb could not even be made of a text with U+0000 in it. Errors that are not the event's fault end the statement.
create function store_each_event(batch json) returns table (place integer, state text, message text)
language plpgsql as $body$
declare
  item json;
  stored bigint = 0;
  detail text;
begin
  place = 0;
  for item in select value from json_array_elements(batch) loop
    begin
      stored = stored + store_events(jsonb_build_array(item::jsonb));
    exception when others then
      get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail;
      if left(state, 2) not in ('21', '22', '23', '44', '54', 'P0') then
        raise;
      end if;
      message = left('ERROR: ' || message || coalesce(' ' || nullif(detail, ''), ''), 200);
      return next;
    end;
    place = place + 1;
  end loop;
  place = -1;
  state = null;
  message = stored::text;
  return next;
end
$body$;

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
