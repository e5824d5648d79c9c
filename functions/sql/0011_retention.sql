-- Why: events are kept for as long as their retention class says, and their space is free at once when they go (decision 0034).
-- Locks: new tables and functions; a new column of dead_letters, which has a default and so rewrites nothing.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes.

-- A class and day that has or had a table of events (day_table). Its states, each behind the one before:
--   open          its table takes events
--   due           the retention of all its events is over
--   archived      what it had below `archived_horizon` is in the archive, verified; only where the stage archives
--   detached      its tables are no parts of `events` and `event_fields` any more, so nobody reads or writes them
--   keys_deleted  its keys are deleted, so its ids may be stored again
--   dropped       its tables are dropped
-- An event that is stored behind that makes its tables again, and the day is open again, and soon due.
create table retention_days (
  class smallint not null,
  day date not null,
  state text not null default 'open'
    check (state in ('open', 'due', 'archived', 'detached', 'keys_deleted', 'dropped')),
  opened_at timestamptz not null default now(),
  archived_at timestamptz,
  -- The horizon of the feed below which the archive has everything, and the number of those events.
  archived_horizon bigint,
  archived_rows bigint,
  detached_at timestamptz,
  -- The next page of the table of which keys are deleted.
  keys_page bigint not null default 0,
  keys_deleted_at timestamptz,
  dropped_at timestamptz,
  -- What the drops of this day have removed, all of them: an event that came later has one of its own.
  rows bigint not null default 0,
  bytes bigint not null default 0,
  was_dropped boolean not null default false,
  -- Why the last step did not succeed, and when it is tried again.
  fault text,
  attempts integer not null default 0,
  retry_at timestamptz,
  primary key (class, day)
);

-- Finds the days that have something to be done.
create index retention_days_unfinished on retention_days (day, class) where state <> 'dropped';

-- One row: the run of retention, and who works on it.
create table retention_run (
  is_only boolean primary key default true check (is_only),
  lease_by text,
  lease_until timestamptz
);
insert into retention_run default values;

-- A legal hold: events of a tenant that a filter matches, null for all of them, are kept whatever their retention says. Those of a
-- day that is due are moved to the class `held` before its table is detached.
create table holds (
  id text primary key,
  tenant text collate "C" not null,
  filter text,
  reason text not null,
  until timestamptz,
  created_by text not null,
  created_at timestamptz not null default now(),
  released_at timestamptz
);
create index holds_of_tenant on holds (tenant, id);
alter table holds enable row level security;

-- When events of a tenant were last removed, by retention or otherwise: a part of the state of its lists. Retention has dropped some
-- of its days before `events_before`, and deleted its rollups of times before `rollups_before`.
create table event_removals (
  tenant text collate "C" primary key,
  removed_at timestamptz not null default clock_timestamp(),
  events_before timestamptz,
  rollups_before timestamptz
);
alter table event_removals enable row level security;
create policy read_one_tenant on event_removals for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
grant select on event_removals to sluice_reader;

-- A replayed dead letter whose event was stored, and whose key was deleted with it. The ledger counts it as stored.
alter table dead_letters add column was_stored boolean not null default false;

-- Begins the record of a class and day whose tables were made.
create function open_retention_day(of_class integer, of_day date) returns void
language sql set search_path = pg_catalog, public, pg_temp as $body$
  insert into retention_days (class, day) values (of_class, of_day)
  on conflict (class, day) do update set
    state = 'open', opened_at = now(), archived_at = null, archived_horizon = null, archived_rows = null, detached_at = null,
    keys_page = 0, keys_deleted_at = null, dropped_at = null, fault = null, attempts = 0, retry_at = null
$body$;

-- Notes that events of tenants were removed. It belongs behind the removal, or into its transaction.
create function note_removals(of_tenants text[]) returns void
language sql as $body$
  insert into event_removals (tenant) select distinct tenant from unnest(of_tenants) as tenant order by 1
  on conflict (tenant) do update set removed_at = excluded.removed_at
$body$;

-- Begins or goes on with the work of retention: takes it for some seconds, where nobody else has it, and opens the days whose
-- retention is over. A day ends at midnight UTC, and its class counts from then on. Returns whether it was taken.
create function take_retention(worker text, seconds integer) returns boolean
language plpgsql as $body$
begin
  update retention_run set lease_by = worker, lease_until = clock_timestamp() + seconds * interval '1 second'
  where lease_until is null or lease_until < clock_timestamp() or lease_by = worker;
  if not found then
    return false;
  end if;
  update retention_days set state = 'due'
  where state = 'open' and class > 0 and (day + 1 + class) <= clock_timestamp() at time zone 'UTC';
  return true;
end
$body$;

create function leave_retention(worker text) returns void
language sql as $body$
  update retention_run set lease_by = null, lease_until = null where lease_by = worker
$body$;

-- The day to work on, the oldest of those that are not waiting to be tried again, else the one that waits shortest, with the
-- seconds until then; no row where everything is done.
create function next_retention_day()
returns table (
  class smallint, day text, state text, events_table text, fields_table text, was_detached boolean, wait_seconds integer
)
language sql as $body$
  select
    class, to_char(day, 'YYYY-MM-DD'), state, day_table('events', class, day), day_table('event_fields', class, day),
    detached_at is not null,
    cast(greatest(ceil(extract(epoch from retry_at - clock_timestamp())), 0) as integer)
  from retention_days
  where state not in ('open', 'dropped')
  order by greatest(retry_at, now()), day, class
  limit 1
$body$;

-- Notes that a step of a day did not succeed, and when to try again: later each time, at most an hour.
create function postpone_retention_day(of_class integer, of_day date, why text) returns void
language sql as $body$
  update retention_days
  set attempts = attempts + 1, fault = left(why, 500),
    retry_at = clock_timestamp() + least(15 * 2 ^ least(attempts, 8), 3600) * interval '1 second'
  where class = of_class and day = of_day
$body$;

-- Notes that the archive has everything of a day below a horizon.
create function note_archived(of_class integer, of_day date, horizon bigint, events bigint) returns void
language sql as $body$
  update retention_days
  set state = 'archived', archived_at = clock_timestamp(), archived_horizon = horizon, archived_rows = events,
    fault = null, attempts = 0, retry_at = null
  where class = of_class and day = of_day and state in ('due', 'archived')
$body$;

-- Whether a table is a part of its class: `attached`, `pending` (a detachment was interrupted, and has to be finalized), or
-- `detached`; `missing` where there is no such table.
create function attachment_of(table_name text) returns text
language sql stable as $body$
  select case
    when to_regclass(table_name) is null then 'missing'
    else coalesce(
      (select case when inhdetachpending then 'pending' else 'attached' end from pg_inherits where inhrelid = to_regclass(table_name)),
      'detached')
  end
$body$;

-- Notes that both tables of a day are detached, and that events of tenants were removed. Where the stage archives and events were
-- stored behind the archive, the day is due again: the archive is made once more, from the detached table. Raises an exception
-- where a table is still a part of its class.
create function note_detached(of_class integer, of_day date, must_be_archived boolean) returns text
language plpgsql as $body$
declare
  leaf constant text = day_table('events', of_class, of_day);
  is_late boolean = false;
  new_state text = 'detached';
begin
  if attachment_of(leaf) not in ('detached', 'missing')
    or attachment_of(day_table('event_fields', of_class, of_day)) not in ('detached', 'missing')
  then
    raise exception 'a table of the day is not detached' using errcode = '55000';
  end if;
  if must_be_archived and to_regclass(leaf) is not null then
    -- A restored event has a number below zero.
    execute format(
      'select exists (select from %I where transaction_number >= $1 or transaction_number <= -$1)', leaf
    ) into is_late
    using coalesce((select archived_horizon from retention_days where class = of_class and day = of_day), 0);
  end if;
  if is_late then
    new_state = 'due';
  end if;
  update retention_days
  set state = new_state, detached_at = coalesce(detached_at, clock_timestamp()),
    archived_at = case when is_late then null else archived_at end, fault = null, attempts = 0, retry_at = null
  where class = of_class and day = of_day;
  perform note_removals(array(select distinct tenant from event_ends));
  return new_state;
end
$body$;

-- Moves events of a day that a condition holds for to the class `held`, at most so many, with their keys, fields and
-- transactions, and returns their number. `condition` is an expression over the row `e`, which reads its texts as ($1)[n], as
-- in list_events. It moves rows of an attached table, whose readers see each row once, and of a detached one.
--
-- Where the stage archives, it moves nothing while one of these events was stored behind the archive, because a held event goes without
-- one. Then the day is due again, and the result is -1; or -2 where the transaction of the event is above the horizon, so that the
-- archive cannot have it yet.
create function move_held(
  of_class integer, of_day date, of_tenant text, condition text, condition_texts text[], most integer, must_be_archived boolean
) returns integer
language plpgsql as $body$
declare
  leaf constant text = day_table('events', of_class, of_day);
  fields constant text = day_table('event_fields', of_class, of_day);
  archived constant bigint = (select archived_horizon from retention_days where class = of_class and day = of_day);
  latest bigint;
  moved_rows integer;
begin
  -- Behind the first deletion of its keys nobody reads the day any more, and an event without a key could be stored twice.
  if to_regclass(leaf) is null
    or exists (select from retention_days where class = of_class and day = of_day and keys_page > 0)
  then
    return 0;
  end if;
  if must_be_archived then
    -- A restored event has a number below zero.
    execute format(
      'select max(abs(e.transaction_number)) from %I as e'
      || ' where e.tenant = $2 and (e.transaction_number >= $3 or e.transaction_number <= -$3) and (%s) is true',
      leaf, condition
    ) into latest using condition_texts, of_tenant, coalesce(archived, 0);
    if latest is not null then
      update retention_days set state = 'due', archived_at = null where class = of_class and day = of_day;
      return case when latest < event_horizon() then -1 else -2 end;
    end if;
  end if;
  execute format('
    with taken as (
      delete from %1$I where ctid = any (array(
        select e.ctid from %1$I as e where e.tenant = $2 and (%3$s) is true limit $3
      ))
      returning *
    ), moved as (
      insert into events (
        tenant, id, source, type, subject, time, time_sent, received_at, stored_at, transaction_number, retention, dataschema,
        datacontenttype, extensions, data, data_base64
      )
      select
        tenant, id, source, type, subject, time, time_sent, received_at, stored_at, transaction_number, -1, dataschema,
        datacontenttype, extensions, data, data_base64
      from taken
      returning tenant, id, source, received_at, transaction_number
    ), moved_keys as (
      update event_keys as k set retention = -1 from moved as m
      where (k.tenant, k.id, k.source) = (m.tenant, m.id, m.source) and k.received_at = m.received_at
    ), taken_fields as (
      delete from %2$I as f using moved as m
      where f.tenant = m.tenant and f.received_at = m.received_at and f.id = m.id and f.source = m.source
      returning f.*
    ), moved_fields as (
      insert into event_fields (tenant, field, value, received_at, retention, id, source)
      select tenant, field, value, received_at, -1, id, source from taken_fields
    ), noted as (
      insert into event_transactions (tenant, transaction_number, began_at, day, events, retention)
      select
        m.tenant, m.transaction_number,
        coalesce((
          select min(t.began_at) from event_transactions as t
          where t.tenant = m.tenant and t.transaction_number = m.transaction_number
        ), now()),
        $4, count(*), -1
      from moved as m group by m.tenant, m.transaction_number
    )
    select count(*) from moved', leaf, fields, condition
  ) into moved_rows using condition_texts, of_tenant, most, of_day;
  if moved_rows > 0 then
    update retention_classes set is_used = true where class = -1 and not is_used;
  end if;
  return moved_rows;
end
$body$;

-- Deletes held events of a tenant for which no hold is left, at most so many, with their keys and fields, and returns their
-- number. `condition` says which are held, as in move_held; null for none of them. Their transactions are forgotten with the last.
create function drop_released(of_tenant text, condition text, condition_texts text[], most integer) returns integer
language plpgsql as $body$
declare
  dropped integer;
begin
  execute format('
    with ended as (
      delete from events_held where ctid = any (array(
        select e.ctid from events_held as e where e.tenant = $2 and (%s) is not true limit $3
      ))
      returning tenant, id, source, received_at
    ), fields as (
      delete from event_fields_held as f using ended
      where f.tenant = ended.tenant and f.received_at = ended.received_at and f.id = ended.id and f.source = ended.source
    ), keys as (
      delete from event_keys as k using ended
      where (k.tenant, k.id, k.source) = (ended.tenant, ended.id, ended.source) and k.received_at = ended.received_at
        and k.retention = -1
    )
    select count(*) from ended', coalesce(condition, 'false')
  ) into dropped using condition_texts, of_tenant, most;
  if dropped < most then
    delete from event_transactions as t
    where t.tenant = of_tenant and t.retention = -1 and not exists (
      select from events_held as e where e.tenant = of_tenant and e.transaction_number = t.transaction_number
    );
  end if;
  if dropped > 0 then
    perform note_removals(array[of_tenant]);
  end if;
  return dropped;
end
$body$;

-- The tenants that have held events.
create function tenants_with_held() returns table (tenant text)
language sql as $body$
  with recursive tenants (tenant) as (
    (select tenant from events_held order by tenant limit 1)
    union all
    select (select e.tenant from events_held as e where e.tenant > tenants.tenant order by e.tenant limit 1)
    from tenants where tenants.tenant is not null
  )
  select tenant from tenants where tenant is not null
$body$;

-- Deletes the keys of the events in the next pages of a detached table, and returns whether there are more pages. A key is
-- deleted only where it is that of the event: the id may be stored again, or its event be held. Deleting is done in chunks so that
-- none holds the horizon of the feed for long; the space is used again by new keys. A replayed dead letter whose event goes is marked
-- for the ledger.
create function delete_day_keys(of_class integer, of_day date, pages integer) returns boolean
language plpgsql set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $body$
declare
  leaf constant text = day_table('events', of_class, of_day);
  low bigint;
  end_page bigint;
  seen bigint;
begin
  select keys_page into low from retention_days where class = of_class and day = of_day and state = 'detached' for update;
  if not found then
    return false;
  end if;
  if attachment_of(leaf) not in ('detached', 'missing') then
    raise exception 'the table of the day is not detached' using errcode = '55000';
  end if;
  end_page = coalesce(pg_relation_size(to_regclass(leaf)), 0) / cast(current_setting('block_size') as integer);
  if low >= end_page then
    update retention_days set state = 'keys_deleted', keys_deleted_at = clock_timestamp()
    where class = of_class and day = of_day;
    return false;
  end if;
  execute format('
    with ended as materialized (
      select tenant, id, source, received_at from %I where ctid >= %L and ctid < %L
    ), deleted as (
      delete from event_keys as k using ended
      where k.tenant = ended.tenant and k.id = ended.id and k.source = ended.source and k.received_at = ended.received_at
        and k.retention = $1
      returning k.tenant, k.id, k.source
    ), marked as (
      update dead_letters as d set was_stored = true from deleted
      where d.tenant = deleted.tenant and d.event_id = deleted.id and d.source = deleted.source
        and d.state = ''replayed'' and d.producer is null
    )
    select count(*) from ended', leaf, format('(%s,0)', low), format('(%s,0)', low + pages)
  ) into seen using of_class;
  update retention_days set keys_page = low + pages, rows = rows + seen where class = of_class and day = of_day;
  return true;
end
$body$;

-- Drops the tables of a day, and returns the bytes that are free. It gives up after two seconds where somebody uses them. It refuses
-- a day whose keys are there, and one that is not in the archive where the stage archives.
create function drop_day(of_class integer, of_day date, must_be_archived boolean) returns bigint
language plpgsql set lock_timeout = '2s' as $body$
declare
  known retention_days;
  leaf text;
  freed bigint = 0;
begin
  select * into known from retention_days where class = of_class and day = of_day for update;
  if known.state is distinct from 'keys_deleted' or must_be_archived and known.archived_at is null then
    raise exception 'the day % of the class % is %, and must not be dropped', of_day, of_class, known.state
      using errcode = '55000';
  end if;
  foreach leaf in array array[day_table('events', of_class, of_day), day_table('event_fields', of_class, of_day)] loop
    continue when to_regclass(leaf) is null;
    if attachment_of(leaf) <> 'detached' then
      raise exception 'the table % is not detached', leaf using errcode = '55000';
    end if;
    freed = freed + pg_total_relation_size(to_regclass(leaf));
    execute format('drop table %I', leaf);
  end loop;
  update retention_days
  set state = 'dropped', dropped_at = clock_timestamp(), was_dropped = true, bytes = bytes + freed, fault = null, attempts = 0,
    retry_at = null
  where class = of_class and day = of_day;
  return freed;
end
$body$;

-- The holds that are in force, of all tenants.
create function active_holds() returns table (id text, tenant text, filter text)
language sql as $body$
  select id, tenant, filter from holds
  where released_at is null and (until is null or until > clock_timestamp())
  order by tenant, id
$body$;

-- What a run leaves behind, for its metrics: the days that have tables ahead of today, of the declared class that has the
-- fewest; and for how many days the oldest one has been waiting to be archived, and to be dropped.
create function retention_lag(out days_ahead integer, out archive_days_behind integer, out days_behind integer)
language sql as $body$
  select
    (
      select min(last_day - cast(clock_timestamp() at time zone 'UTC' as date))
      from (
        select coalesce(max(d.day), cast(clock_timestamp() at time zone 'UTC' as date) - 1) as last_day
        from retention_classes as c left join retention_days as d on d.class = c.class and d.state = 'open'
        where c.is_declared group by c.class
      ) as each
    ),
    coalesce(max(behind) filter (where archived_at is null), 0),
    coalesce(max(behind), 0)
  from (
    select archived_at, cast(clock_timestamp() at time zone 'UTC' as date) - (day + 1 + class) as behind
    from retention_days where state not in ('open', 'dropped')
  ) as unfinished
$body$;

-- The plan of retention: the days that are due by a date, and the sum of all others of each class. Rows are those that the
-- statistics of PostgreSQL have, null for a table that was never analyzed; bytes are exact, with indexes.
create function read_retention(until_day date)
returns table (
  class smallint, day text, state text, due_on text, tables bigint, events bigint, bytes bigint, fault text
)
language sql stable as $body$
  with each as (
    select
      d.class, d.day, d.state, d.fault,
      case when d.class > 0 then d.day + 1 + d.class end as due_on,
      (
        select cast(nullif(c.reltuples, -1) as bigint) from pg_class as c
        where c.oid = to_regclass(day_table('events', d.class, d.day))
      ) as events,
      coalesce(pg_total_relation_size(to_regclass(day_table('events', d.class, d.day))), 0)
        + coalesce(pg_total_relation_size(to_regclass(day_table('event_fields', d.class, d.day))), 0) as bytes
    from retention_days as d where d.state <> 'dropped'
  ), grouped as (
    select
      e.class, case when e.due_on <= until_day then e.day end as of_day, min(e.state) as state, min(e.due_on) as due_on,
      count(*) as tables, sum(e.events) as events, sum(e.bytes) as bytes, min(e.fault) as fault
    from each as e group by 1, 2
    union all
    select
      class, null, 'held', null, 1, (
        select cast(nullif(c.reltuples, -1) as bigint) from pg_class as c where c.oid = to_regclass('events_held')
      ),
      pg_total_relation_size(to_regclass('events_held')) + pg_total_relation_size(to_regclass('event_fields_held')), null
    from retention_classes where class = -1 and is_used
  )
  select
    g.class, to_char(g.of_day, 'YYYY-MM-DD'), case when g.of_day is null and g.class >= 0 then 'kept' else g.state end,
    to_char(g.due_on, 'YYYY-MM-DD'), g.tables, cast(g.events as bigint), cast(g.bytes as bigint), g.fault
  from grouped as g order by g.due_on nulls last, g.class, g.of_day nulls last
$body$;
