-- Why: the events, stored exactly once per (tenant, source, id) for as long as they are retained, and the roles that may
-- store and read them.
-- Locks: new tables only.
--
-- The Data API's scanner takes a single colon before a word for a parameter, also inside dollar quotes, and fails on
-- backslashes: this file has neither.

-- The writer and the reader, with two users each: a rotation gives the user that is not in use a new password, and then
-- the secret names that one, so the current secret is right at every moment. Roles belong to the cluster and not to the
-- database, so they may exist already; functions/migrate sets the passwords.
do $body$
declare
  parent text;
begin
  foreach parent in array array['sluice_writer', 'sluice_reader'] loop
    begin
      execute format('create role %I nologin', parent);
    exception when duplicate_object or unique_violation then
      null;
    end;
    for number in 1 .. 2 loop
      begin
        execute format('create role %I login in role %I', parent || '_' || number, parent);
      exception when duplicate_object or unique_violation then
        null;
      end;
    end loop;
  end loop;
  -- By default everybody may make temporary tables, and their names come before those of the schema.
  execute format('revoke temporary on database %I from public', current_database());
end
$body$;

-- PUBLIC may execute every new function, unless that is taken away. Every grant of this database is in this file, or in a
-- later one.
alter default privileges revoke execute on functions from public;
revoke all on schema public from public;
grant usage on schema public to sluice_writer, sluice_reader;

-- The retention classes, as days after which a day of events is dropped; 0 keeps them. The name of a class is a part of those
-- of its tables, as functions/core/retention.ts writes it. -1 is the class of events under a legal hold whose day was dropped.
-- Tables are made for the classes that are declared, of the catalog and of the stage; functions/migrate writes that. Events
-- that name none are of the default.
create table retention_classes (
  class smallint primary key,
  name text not null unique,
  is_declared boolean not null default false,
  is_default boolean not null default false,
  -- It has, or had, a table with events.
  is_used boolean not null default false
);
create unique index retention_classes_default on retention_classes (is_default) where is_default;
insert into retention_classes (class, name, is_declared, is_default) values
  (7, '7d', false, false), (30, '30d', false, false), (90, '90d', false, false), (400, '400d', false, false),
  (0, 'keep', true, true), (-1, 'held', false, false);
grant select on retention_classes to sluice_reader;

-- One key per event, of any day. The table of events cannot be unique by it: it is partitioned by class and day, and its
-- unique keys must contain both. Keys are compared byte for byte (collation C). Hash partitions keep each index small. The
-- key starts with (tenant, id), so that it also finds an event by its id without the source. Retention deletes keys by the
-- thousand, so each partition is vacuumed early: the places of deleted keys are used again.
create table event_keys (
  -- Columns of one width come first, here and in `events`: behind texts a row would have gaps, which the write-ahead log has too.
  received_at timestamptz not null,
  retention smallint not null,
  tenant text collate "C" not null,
  id text collate "C" not null,
  source text collate "C" not null,
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

-- A reader sees the tenant that read_event has set, and no row where nothing is set. The owner, as whom store_batch runs,
-- is not bound by policies. A partition that is named directly has none of the policies of its parent, so nobody but the
-- owner has a right on it; row level security without a policy keeps it empty for others if somebody gets one.
alter table event_keys enable row level security;
create policy read_one_tenant on event_keys for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
grant select on event_keys to sluice_reader;
do $body$
begin
  for number in 0 .. 7 loop
    execute format('alter table %I enable row level security', 'event_keys_' || number);
    execute format('alter table %I set (autovacuum_vacuum_scale_factor = 0.05)', 'event_keys_' || number);
  end loop;
end
$body$;

-- The events, partitioned by their retention class, and each class by the UTC day of `received_at`. Ingest fixes both, and the
-- message carries them. make_event_day makes the table of a class and day, events_30d_20261121.
create table events (
  time timestamptz not null,
  received_at timestamptz not null,
  stored_at timestamptz not null default clock_timestamp(),
  -- The number of the transaction that stored it, which is its place in the feed: see event_horizon below.
  transaction_number bigint not null default cast(cast(pg_current_xact_id() as text) as bigint),
  retention smallint not null,
  tenant text collate "C" not null,
  id text collate "C" not null,
  source text collate "C" not null,
  type text collate "C" not null,
  subject text,
  -- The time as it was sent, where a timestamptz cannot give it back: with an offset, or without milliseconds.
  time_sent text,
  dataschema text,
  datacontenttype text,
  extensions jsonb,
  -- NULL: the event has no data, or it is binary. The JSON value null is 'null'::jsonb.
  data jsonb,
  -- Data that is neither JSON nor text.
  data_base64 text
) partition by list (retention);

create table events_7d partition of events for values in (7) partition by range (received_at);
create table events_30d partition of events for values in (30) partition by range (received_at);
create table events_90d partition of events for values in (90) partition by range (received_at);
create table events_400d partition of events for values in (400) partition by range (received_at);
create table events_keep partition of events for values in (0) partition by range (received_at);
create table events_held partition of events for values in (-1);

-- Finds one event by the `received_at` of its key, and lists a tenant's events in the order they were received.
create index events_by_arrival on events (tenant, received_at, id) with (deduplicate_items = off);

-- Finds the events of some transactions. Rows lie on disk nearly in the order of their transactions, so the lowest and the
-- highest number of each 16 pages find them, and that costs next to no write-ahead log.
create index events_by_transaction on events using brin (transaction_number)
  with (pages_per_range = 16, autosummarize = on);

-- What each call of store_batch did with the events of a tenant and a producer, as merge_arrivals adds it up. Calls append rows of
-- their own, so writers never wait for each other. An empty producer stands for events without a number, which are counted in
-- `unnumbered`; an empty tenant for dead letters that name none. A count that is null is 0.
create table arrival_deltas (
  -- The numbers come first, so that a row has no gaps.
  unnumbered integer,
  stored integer,
  copies integer,
  conflicts integer,
  -- Dead letters that were discarded, and are deleted.
  discarded integer,
  tenant text collate "C" not null,
  producer text collate "C" not null,
  -- Of the events in the counts, each once.
  numbers int8multirange not null
);

-- Nobody but the owner has a right on it. Row level security without a policy keeps it empty for others if somebody gets one.
alter table arrival_deltas enable row level security;

-- A line of a call of store_batch: copy, conflict, refused or stored.
create type arrived_line as (tenant text, producer text, number bigint, fate text);

alter table events enable row level security;
create policy read_one_tenant on events for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
grant select on events to sluice_reader;
do $body$
declare
  class_name text;
begin
  for class_name in select name from retention_classes loop
    execute format('alter table %I enable row level security', 'events_' || class_name);
  end loop;
end
$body$;

-- One row: the numbers of transactions in this database. PostgreSQL begins to count again in a database that was restored
-- from a dump, so numbers have an offset there (begin_incarnation), and cursors of the feed have the id.
create table incarnation (
  is_only boolean primary key default true check (is_only),
  id uuid not null default gen_random_uuid(),
  number_offset bigint not null default 0
);
insert into incarnation default values;
grant select on incarnation to sluice_reader;

-- Returns the number below which every transaction has ended: the events of `transaction_number < event_horizon()` are a
-- set to which nothing comes any more. A later number may be committed before it. Times cannot tell that: an event is
-- committed seconds after it was stored, and days after it was received.
create function event_horizon() returns bigint
language sql stable set search_path = pg_catalog, public, pg_temp as $body$
  select cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint) + number_offset from incarnation
$body$;
grant execute on function event_horizon to sluice_reader;

-- An event without its data, as a call of store_batch has it. Without `class` it is of the default class.
create type event_head as (
  tenant text collate "C", id text collate "C", source text collate "C", type text collate "C", subject text, time timestamptz,
  time_sent text, received_at timestamptz, class smallint, dataschema text, datacontenttype text, extensions jsonb,
  data_base64 text
);

-- What a call of store_batch reads once, for all of its blocks.
create type store_rules as (
  transaction_number bigint, default_class smallint, measured_types text[], indexed_types text[], has_erased_keys boolean,
  has_suppressions boolean
);

-- Stores each event that can be stored, and counts it for the ledger. `heads` are the events without their data, each the text of an
-- event_head, which PostgreSQL reads twice as fast as JSON, or a JSON object with its members, which holds every character. `data`
-- are the JSON texts of that, empty where there is none: so nothing is parsed twice. They are sorted by key: keys are locked in
-- that order, so two writers of the same keys wait for each other instead of deadlocking. `origins` says which producers have
-- numbered them (count_new_arrivals); without it nothing is counted.
--
-- Returns these rows; `position` is an event's index in `heads`, from 0:
--   refused    the event at `position`, with its SQLSTATE and the database's message, in ASCII and cut, so that the rows
--              of a whole chunk fit into a result of 1 MiB
--   conflict   the event at `position`, whose key is stored with other content and stays so
--   erased     the event at `position`, which an erasure keeps out (0013)
--   stored     `position` is a number of events that were new; the rows add up
--
-- It runs as its owner, so that the writer needs no right on a table: a chunk has events of several tenants, whom no
-- policy could tell apart.
create function store_batch(heads text[], data text[] default '{}', origins jsonb default null)
returns table (outcome text, "position" integer, state text, message text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  stored integer = 0;
  refused integer[] = '{}';
  conflicts integer[] = '{}';
  copies integer[] = '{}';
  erased integer[] = '{}';
begin
  for outcome, "position", state, message in select * from store_blocks(heads, data) loop
    case outcome
      when 'stored' then stored = stored + "position";
      when 'copy' then copies = copies || "position";
      when 'conflict' then conflicts = conflicts || "position";
      when 'erased' then erased = erased || "position";
      else refused = refused || "position";
    end case;
    if outcome <> 'copy' then
      return next;
    end if;
  end loop;
  -- Behind the last key, so that whoever waits for an advisory lock holds up no other writer of keys.
  if stored = cardinality(heads) then
    perform count_new_arrivals(origins);
  elsif origins is not null then
    perform count_mixed_arrivals(origins, copies, conflicts, refused, erased);
  end if;
end
$body$;
grant execute on function store_batch to sluice_writer;

-- The rules of this transaction. Its number comes first: erased_places says why.
create function read_store_rules() returns store_rules
language plpgsql as $body$
declare
  this_transaction constant bigint = cast(cast(pg_current_xact_id() as text) as bigint);
begin
  return row(
    this_transaction + (select number_offset from incarnation),
    (select class from retention_classes where is_default),
    array(select distinct type from measures),
    array(select distinct type from indexed_fields),
    exists (select from erased_keys),
    exists (select from suppressions)
  );
end
$body$;

-- Stores events in blocks, each in a subtransaction. A block with an event that the database refuses is tried again in
-- blocks of a sixteenth, down to the event itself, whatever is wrong with it: a value, a constraint, a trigger, a size, a
-- missing partition. One such event among thousands costs little more than its block; if all are refused, each is tried at
-- most three times. An error that no event causes ends the statement with nothing stored. The exception list below is the
-- same as the dead-letter classes of functions/adapters/data-api/database-errors.ts, which a test compares.
--
-- A block is taken for one of new events, as most are. Where some are copies or conflicts it is stored once more, by the functions
-- that find them. An event alone may be a copy of one whose day has a table, though its own has none, so it goes there at once.
--
-- Returns the rows of store_batch, and one more for each event that equals what is stored under its key: `copy`.
create function store_blocks(
  heads text[], data text[], block_size integer = 256, first_position integer = 0, rules store_rules = read_store_rules()
)
returns table (outcome text, "position" integer, state text, message text)
language plpgsql as $body$
declare
  most constant integer = cardinality(heads);
  low integer = 1;
  part_heads text[];
  part_data text[];
  given event_head[];
  inserted record;
  stored integer = 0;
  conflicts integer[];
  detail text;
begin
  while low <= most loop
    part_heads = heads[low : low + block_size - 1];
    part_data = data[low : low + block_size - 1];
    begin
      given = array(
        select
          case when head like '{%' then json_populate_record(cast(null as event_head), cast(head as json)) else cast(head as event_head) end
        from unnest(part_heads) as head
      );
      begin
        if cardinality(given) = 1 then
          raise sqlstate 'SL001';
        end if;
        stored = stored + insert_all_new(given, part_data, rules);
      exception when unique_violation or sqlstate 'SL001' then
        inserted = insert_new_events(given, part_data, rules);
        if inserted.events < cardinality(given) then
          conflicts = array(select find_conflicts(block_json(given, part_data)));
          return query
          select
            case when place = any (inserted.erased) then 'erased' when place = any (conflicts) then 'conflict' else 'copy' end,
            first_position + low - 1 + place, null, null
          from generate_series(0, cardinality(given) - 1) as place
          where place <> all (inserted.places);
        end if;
        stored = stored + inserted.events;
      end;
    exception
      when cardinality_violation or data_exception or integrity_constraint_violation or with_check_option_violation
        or program_limit_exceeded or plpgsql_error
      then
        if cardinality(part_heads) > 1 then
          return query
          select * from store_blocks(part_heads, part_data, greatest(block_size / 16, 1), first_position + low - 1, rules);
        else
          get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail;
          outcome = 'refused';
          "position" = first_position + low - 1;
          message = 'ERROR: ' || message || coalesce(' ' || nullif(detail, ''), '');
          message = left(regexp_replace(message, '[^ -~]', '?', 'g'), 200);
          return next;
        end if;
    end;
    low = low + block_size;
  end loop;
  outcome = 'stored';
  "position" = stored;
  state = null;
  message = null;
  return next;
end
$body$;

-- Inserts events and returns their number. Raises unique_violation where the key of any is stored, or is there twice, and SL001 where an
-- erasure keeps one out. A plain insert costs less than `on conflict`, which looks for each key twice and confirms each row in the
-- write-ahead log.
create function insert_all_new(given event_head[], data_texts text[], rules store_rules = read_store_rules()) returns integer
language plpgsql set plan_cache_mode = force_generic_plan as $body$
#variable_conflict use_column
begin
  if (rules.has_erased_keys or rules.has_suppressions)
    and cardinality(erased_places(block_json(given, case when rules.has_suppressions then data_texts end))) > 0
  then
    raise exception 'an event is erased' using errcode = 'SL001';
  end if;
  insert into event_keys (tenant, id, source, received_at, retention)
  select tenant, id, source, received_at, coalesce(class, rules.default_class) from unnest(given);
  return insert_events(given, data_texts, rules);
end
$body$;

-- Inserts events, all or none, and returns how many were new, and their places, from 0. The key table decides; of two copies the
-- first is inserted. Places of events that an erasure keeps out are in `erased`.
create function insert_new_events(
  given event_head[], data_texts text[], rules store_rules, out events integer, out places integer[], out erased integer[]
)
language plpgsql set plan_cache_mode = force_generic_plan as $body$
#variable_conflict use_column
declare
  kept_out constant integer[] =
    case when rules.has_erased_keys or rules.has_suppressions then erased_places(block_json(given, data_texts)) end;
begin
  with line as (
    select distinct on (tenant, id, source) tenant, id, source, received_at, class, place
    from unnest(given) with ordinality as line (
      tenant, id, source, type, subject, time, time_sent, received_at, class, dataschema, datacontenttype, extensions, data_base64, place
    )
    where kept_out is null or place - 1 <> all (kept_out)
    order by tenant, id, source, place
  ),
  fresh as (
    insert into event_keys (tenant, id, source, received_at, retention)
    select tenant, id, source, received_at, coalesce(class, rules.default_class) from line order by place
    on conflict do nothing
    returning tenant, id, source
  )
  select coalesce(array_agg(cast(place as integer) - 1 order by place), '{}') into insert_new_events.places
  from line join fresh using (tenant, id, source);
  insert_new_events.events = insert_events(
    array(select given[place + 1] from unnest(insert_new_events.places) as place),
    array(select data_texts[place + 1] from unnest(insert_new_events.places) as place),
    rules
  );
  insert_new_events.erased = kept_out;
end
$body$;

-- Inserts events whose keys are inserted, with what follows them: lookups, feed and rollups. Returns their number. All calls share one
-- plan, because no value in a block could make a better one.
create function insert_events(given event_head[], data_texts text[], rules store_rules) returns integer
language plpgsql set plan_cache_mode = force_generic_plan as $body$
#variable_conflict use_column
declare
  stored integer;
begin
  with stored as (
    insert into events (
      tenant, id, source, type, subject, time, time_sent, received_at, retention, dataschema, datacontenttype, extensions,
      data_base64, data, transaction_number
    )
    select
      tenant, id, source, type, subject, time, time_sent, received_at, coalesce(class, rules.default_class), dataschema,
      datacontenttype, extensions, data_base64, cast(nullif(data, '') as jsonb), rules.transaction_number
    from rows from (unnest(given), unnest(data_texts)) as line (
      tenant, id, source, type, subject, time, time_sent, received_at, class, dataschema, datacontenttype, extensions, data_base64, data
    )
    returning tenant, type, source, received_at, retention, id,
      case when type = any (rules.indexed_types) then data end as indexed_data,
      case when type = any (rules.measured_types) then array(
        select (pointer, data #> path)::measured from measures
        where measures.type = events.type and jsonb_typeof(data #> path) = 'number'
      ) end as numbers
  ),
  found_by_field as (
    insert into event_fields (tenant, field, value, received_at, retention, id, source)
    select tenant, number, value, received_at, retention, id, source
    from stored join indexed_fields using (type) cross join unnest(field_hashes(indexed_data, path)) as value
    where indexed_data is not null
    returning field, value
  ),
  found_by_any as (
    update indexed_fields set has_any = true
    where not has_any and number in (select field from found_by_field where value = 0)
  ),
  counted as (
    select tenant, retention, date_bin('1 minute', received_at, '2000-01-01T00:00:00Z') as minute, type, source, count(*) as events
    from stored group by 1, 2, 3, 4, 5
  ),
  noted as (
    -- The day as the partitions count it. The number is that of the events, also where a restored database raises its numbers meanwhile.
    insert into event_transactions (tenant, transaction_number, day, events, retention)
    select tenant, rules.transaction_number, cast(minute at time zone 'UTC' as date), sum(events), retention
    from counted group by 1, 3, 5
  ),
  added as (
    insert into rollup_deltas (tenant, minute, parts)
    select
      tenant, minute,
      array_agg(cast(row(type, source, pointer, events, total, low, high, buckets, counts) as rollup_part))
    from (
      select
        tenant, minute, type, source, '' as pointer, sum(events) as events, null as total, null as low, null as high,
        null as buckets, null as counts
      from counted group by 1, 2, 3, 4
      union all
      select parts.* from (
        select array_agg(cast(row(tenant, type, source, received_at, numbers) as stored_event)) as numbered
        from stored where numbers <> '{}'
      ) as measured cross join number_parts(numbered) as parts
    ) as part
    group by 1, 2
  )
  select coalesce(sum(events), 0) from counted into stored;
  return stored;
end
$body$;

-- The batch of erased_places and find_conflicts, of the events of a block; without texts, that without data.
create function block_json(given event_head[], data_texts text[]) returns jsonb
language sql stable as $body$
  select jsonb_agg(
    to_jsonb(given[place]) || case when data_texts[place] <> '' then jsonb_build_object('data', jsonb_build_array(cast(data_texts[place] as jsonb))) else '{}' end
    order by place
  )
  from generate_series(1, cardinality(given)) as place
$body$;

-- Counts a call whose events were all new. `origins` has the members
--   groups    for the events of each tenant and producer, null for none: both, their number, and their numbers as a multirange
--   of        for each line the index of its group, from 0, as a text with spaces between
--   numbers   for each line its number, likewise; 0 where the producer is null
-- The texts are read by count_mixed_arrivals alone.
create function count_new_arrivals(origins jsonb) returns void
language plpgsql as $body$
begin
  insert into arrival_deltas (tenant, producer, numbers, unnumbered, stored)
  select tenant, coalesce(producer, ''), coalesce(numbers, '{}'), case when producer is null then events end, events
  from jsonb_to_recordset(origins -> 'groups') as given (tenant text, producer text, numbers int8multirange, events integer);
end
$body$;

-- Counts a call with copies, conflicts, refused or erased events, which stand at these positions. A refused event is counted as a dead
-- letter, when that is recorded, and an erased one as discarded. The number of a copy or conflict is counted once, so a message that is delivered twice changes nothing:
-- two calls with the same producer wait for each other, and the second one sees what the first has counted.
create function count_mixed_arrivals(
  origins jsonb, copies integer[], conflicts integer[], refused integer[], erased integer[] default '{}'
)
returns void
language plpgsql as $body$
declare
  lines arrived_line[];
begin
  select array_agg(cast(row(given.tenant, given.producer, number, coalesce(fate.name, 'stored')) as arrived_line)) into lines
  from rows from (
      unnest(cast(string_to_array(origins ->> 'of', ' ') as integer[])),
      unnest(cast(string_to_array(origins ->> 'numbers', ' ') as bigint[]))
    ) with ordinality as line (of_group, number, place)
    join rows from (jsonb_to_recordset(origins -> 'groups') as (tenant text, producer text))
      with ordinality as given (tenant, producer, place) on given.place = of_group + 1
    left join (
      select 'copy', unnest(copies) union all select 'conflict', unnest(conflicts) union all select 'refused', unnest(refused)
      union all select 'erased', unnest(erased)
    ) as fate (name, place) on fate.place = line.place - 1;

  insert into arrival_deltas (tenant, producer, numbers, unnumbered, stored)
  select
    tenant, coalesce(producer, ''), coalesce(range_agg(int8range(number, number + 1)) filter (where producer is not null), '{}'),
    nullif(count(*) filter (where producer is null), 0), count(*)
  from unnest(lines) where fate = 'stored' group by tenant, producer;

  perform lock_arrivals(array_agg(tenant || ' ' || producer)) from unnest(lines)
  where fate in ('copy', 'conflict', 'erased') and producer is not null;

  insert into arrival_deltas (tenant, producer, numbers, unnumbered, copies, conflicts, discarded)
  with again as (
    select
      tenant, producer, number,
      case when bool_or(fate = 'conflict') then 'conflict' when bool_or(fate = 'copy') then 'copy' else 'erased' end as fate
    from unnest(lines)
    where fate in ('copy', 'conflict', 'erased') and producer is not null
    group by tenant, producer, number
  ), known as (
    select tenant, producer, range_agg(numbers) as numbers from all_arrivals
    where (tenant, producer) in (select tenant, producer from again)
    group by tenant, producer
  )
  select
    tenant, producer, range_agg(int8range(number, number + 1)), null,
    count(*) filter (where fate = 'copy'), count(*) filter (where fate = 'conflict'), count(*) filter (where fate = 'erased')
  from again left join known using (tenant, producer)
  where not coalesce(known.numbers @> number, false)
  group by tenant, producer
  union all
  select
    tenant, '', '{}', count(*), count(*) filter (where fate = 'copy'), count(*) filter (where fate = 'conflict'),
    count(*) filter (where fate = 'erased')
  from unnest(lines) where fate in ('copy', 'conflict', 'erased') and producer is null
  group by tenant;
end
$body$;

-- Returns the positions, from 0, of events whose key is stored with other content. Times and the trace are not
-- compared: ingest generates a missing time, and the trace may be the request's, so a client's retry would differ. Numbers and JSON are compared by value: 1 and 1.0 are equal.
-- It is called after insert_new_events as a separate statement with its own snapshot, so it sees what a writer committed
-- that the insert waited for. Each event is looked up by itself, through event_keys_pkey and events_by_arrival: a plan
-- that joins the tables would read all of them.
create function find_conflicts(batch jsonb) returns setof integer
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $body$
begin
  return query
  select given.ordinality::integer - 1
  from rows from (
      jsonb_to_recordset(batch) as (
        tenant text collate "C", id text collate "C", source text collate "C", type text, subject text, dataschema text,
        datacontenttype text, extensions jsonb, data jsonb, data_base64 text
      )
    ) with ordinality as given
    cross join lateral (
      select received_at, retention from event_keys
      where tenant = given.tenant and id = given.id and source = given.source
      limit 1
    ) as key
    cross join lateral (
      select * from events
      where tenant = given.tenant and retention = key.retention and received_at = key.received_at and id = given.id and source = given.source
      limit 1
    ) as kept
  where
    (given.type, given.subject, given.dataschema, given.datacontenttype, given.data -> 0, given.data_base64,
      coalesce(given.extensions, '{}') - array['traceparent', 'tracestate'])
    is distinct from
    (kept.type, kept.subject, kept.dataschema, kept.datacontenttype, kept.data, kept.data_base64,
      coalesce(kept.extensions, '{}') - array['traceparent', 'tracestate']);
end
$body$;

-- Writes one event as CloudEvents JSON. Every reader uses it, so an event reads the same wherever it is found. It uses only
-- what is built in, so it needs no search path, with which PostgreSQL could not make it a part of the query around it.
create function event_json(e events) returns text
language sql stable as $body$
  select
    '{"specversion":"1.0","id":' || cast(to_json(e.id) as text) || ',"source":' || cast(to_json(e.source) as text)
    || ',"type":' || cast(to_json(e.type) as text) || coalesce(',"subject":' || cast(to_json(e.subject) as text), '')
    || ',"time":' || coalesce(
      cast(to_json(e.time_sent) as text), '"' || to_char(e.time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"'
    )
    || coalesce(',"dataschema":' || cast(to_json(e.dataschema) as text), '')
    || coalesce(',"datacontenttype":' || cast(to_json(e.datacontenttype) as text), '')
    || ',"tenant":' || cast(to_json(e.tenant) as text)
    || ',"receivedat":"' || to_char(e.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"'
    || coalesce(',' || nullif(trim(both '{}' from cast(e.extensions as text)), ''), '')
    || coalesce(',"data":' || cast(e.data as text), '')
    || coalesce(',"data_base64":"' || e.data_base64 || '"', '')
    || '}'
$body$;
grant execute on function event_json to sluice_reader;

-- Finds one event by its id, as CloudEvents JSON in pieces of at most `piece_characters`, because a result row of the Data
-- API may have 64 KB and an event four times as much. Without a match there is no row; where several sources used the id, a
-- row for each of the first `max_sources` and no pieces. Relies on event_keys_pkey and events_by_arrival.
--
-- `allowed_types` and `allowed_sources` are patterns as in functions/core/patterns.ts, a text or its beginning with `*` behind
-- it; null allows all. What they do not allow is left out before anything is counted, so that nothing tells of it.
--
-- The tenant is set for this statement alone, for the policies, and stands in the predicate as well: each holds without the
-- other. The function has the rights of its caller, because an owner is not bound by policies.
create function read_event(
  for_tenant text, event_id text, event_source text, max_sources integer, piece_characters integer,
  allowed_types text[] default null, allowed_sources text[] default null
)
returns table (found_source text, piece text)
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
begin
  perform set_config('app.tenant', for_tenant, true);
  return query
  with keys as (
    select tenant, id, source, received_at, retention from event_keys
    where tenant = for_tenant and id = event_id and (event_source is null or source = event_source)
      and (
        allowed_sources is null
        or exists (
          select from unnest(allowed_sources) as pattern
          where source = pattern or right(pattern, 1) = '*' and starts_with(source, left(pattern, -1))
        )
      )
      and (
        allowed_types is null
        or exists (
          select from events as e, unnest(allowed_types) as pattern
          where (e.tenant, e.retention, e.received_at, e.id, e.source)
              = (event_keys.tenant, event_keys.retention, event_keys.received_at, event_keys.id, event_keys.source)
            and (e.type = pattern or right(pattern, 1) = '*' and starts_with(e.type, left(pattern, -1)))
        )
      )
    order by source
    limit max_sources
  ),
  document as (
    select event_json(e) as body
    from keys join events as e using (tenant, retention, received_at, id, source)
    where (select count(*) from keys) = 1
  )
  select keys.source, substr(document.body, number * piece_characters + 1, piece_characters)
  from keys
  left join document on true
  left join generate_series(0, (length(document.body) - 1) / piece_characters) as number on true
  order by keys.source, number;
end
$body$;
grant execute on function read_event to sluice_reader;

-- The name of the table of a class and day, of `events` or `event_fields`.
create function day_table(of_table text, of_class integer, of_day date) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $body$
  select of_table || '_' || name || '_' || to_char(of_day, 'YYYYMMDD') from retention_classes where class = of_class
$body$;

-- Makes the tables of a class and day, of events and of their fields, and returns whether they were missing. A table is made by
-- itself and then attached, which takes SHARE UPDATE EXCLUSIVE of the class: neither readers nor writers wait for it, nor does it
-- wait for them. `create table … partition of` would wait behind every reader, and every writer behind it. Where another
-- one is at it, it gives up after two seconds (55P03). A day whose table is detached and not yet dropped waits for the drop.
create function make_event_day(of_class integer, of_day date) returns boolean
language plpgsql set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $body$
declare
  class_name text = (select name from retention_classes where class = of_class and class >= 0);
  parent text;
  child text;
  is_made boolean = false;
begin
  if class_name is null then
    raise exception 'there is no retention class of % days', of_class using errcode = '22023';
  end if;
  perform pg_advisory_xact_lock(7284562136);
  foreach parent in array array['events', 'event_fields'] loop
    child = day_table(parent, of_class, of_day);
    parent = parent || '_' || class_name;
    continue when to_regclass(child) is not null;
    execute format('create table public.%I (like %I including all)', child, parent);
    execute format('alter table %I enable row level security', child);
    execute format(
      'alter table %I attach partition %I for values from (%L) to (%L)',
      parent, child, of_day::text || ' 00:00:00+00', (of_day + 1)::text || ' 00:00:00+00'
    );
    is_made = true;
  end loop;
  if is_made then
    perform open_retention_day(of_class, of_day);
    update retention_classes set is_used = true where class = of_class and not is_used;
  end if;
  return is_made;
end
$body$;

-- Makes the missing tables of the days from first_day to last_day, for each class that is declared and keeps the day, and returns
-- the number of days that had none. PostgreSQL refuses the rows of a day without a table (23514); their messages wait in the queue and are never lost.
create function ensure_event_partitions(first_day date, last_day date) returns integer
language plpgsql as $body$
declare
  made integer;
begin
  select count(distinct day) into made
  from generate_series(first_day, last_day, interval '1 day') as day, retention_classes
  where is_declared and (class = 0 or day + interval '1 day' * (class + 1) > now() at time zone 'UTC')
    and make_event_day(class, cast(day as date));
  return made;
end
$body$;

-- The same for days of which events wait to be stored, a JSON array of {class, day}; a class that is null is the default. A day
-- in the future is left out, and so is a class that there is not. It runs as its owner, for the writer: an event may be stored long
-- after its day was dropped, or before its class is declared. Returns the number of days that had none.
create function ensure_waiting_days(days jsonb) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  made integer;
begin
  select count(*) into made
  from (
    select distinct c.class, given.day
    from jsonb_to_recordset(days) as given (class smallint, day date)
      join retention_classes as c on c.class = given.class or given.class is null and c.is_default
    where c.class >= 0 and given.day <= cast(now() at time zone 'UTC' as date) + 1
    order by 1, 2
  ) as waiting
  where make_event_day(class, day);
  return made;
end
$body$;
grant execute on function ensure_waiting_days to sluice_writer;

-- Says which classes are in use: those of the catalog, and the default of the stage. Those that are no longer declared get no
-- new tables; their events stay until their time is over. Returns how many of them have changed.
create function declare_retention(default_class integer, classes integer[]) returns integer
language plpgsql as $body$
declare
  changed integer;
begin
  select count(*) into changed from retention_classes
  where class >= 0
    and (is_declared, is_default) is distinct from (class = any (classes || default_class), class = default_class);
  if changed > 0 then
    update retention_classes set is_default = false where is_default;
    update retention_classes
    set is_declared = class = any (classes || default_class), is_default = class = default_class where class >= 0;
  end if;
  return changed;
end
$body$;

-- Sets the password of one of the users above, given as its SCRAM-SHA-256 verifier: `alter role` takes no parameter, and a
-- statement with the password in it would be in logs. A comment on the user names the database whose stack has its secret,
-- so that a second stack in the cluster fails here, instead of taking the password from the first.
create function set_role_password(user_name text, verifier text) returns text
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  used_by text;
begin
  if user_name is null or user_name not in ('sluice_writer_1', 'sluice_writer_2', 'sluice_reader_1', 'sluice_reader_2') then
    raise exception 'set_role_password sets the passwords of the writer and the reader only' using errcode = '42501';
  end if;
  if verifier is null or verifier !~ '^SCRAM-SHA-256[$]4096:[A-Za-z0-9+/=]{24}[$][A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$' then
    raise exception 'set_role_password takes a SCRAM-SHA-256 verifier, and never the password' using errcode = '22023';
  end if;
  used_by = shobj_description(to_regrole(user_name), 'pg_authid');
  if used_by is null then
    execute format('comment on role %I is %L', user_name, current_database());
  elsif used_by <> current_database() then
    raise exception 'The user % belongs to the stack with the database %. Give each stack a cluster of its own', user_name, used_by
      using errcode = '42501';
  end if;
  execute format('alter role %I password %L', user_name, verifier);
  return user_name;
end
$body$;
