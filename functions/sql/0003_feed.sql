-- Why: the feed, in which a follower reads the events of a tenant in the order of their transactions, and misses none.
-- Locks: new tables and functions only.
--
-- A statement that is built has its text in single quotes: the Data API's scanner takes a positional parameter in dollar
-- quotes for one of the statement around it.

-- The events of a transaction, one row for each tenant, day and retention class, or several where the events were inserted in blocks. It
-- names the partitions that a follower has to ask, so late events cost the others nothing, and it counts the rows before
-- they are read, so a page has a bounded cost; an erasure leaves the number as it was. `began_at` is the same in all rows of a transaction: with the number it
-- proves that a database is the one that a cursor was made from, and not a copy of it from before.
create table event_transactions (
  tenant text collate "C" not null,
  transaction_number bigint not null default cast(cast(pg_current_xact_id() as text) as bigint),
  began_at timestamptz not null default now(),
  day date not null,
  events integer not null,
  retention smallint not null
);

-- Finds the transactions of a tenant after a place in the feed, in order.
create index event_transactions_in_order on event_transactions (tenant, transaction_number);

-- Finds the last transaction of each day of a tenant: the state of a range of days.
create index event_transactions_by_day on event_transactions (tenant, day, transaction_number);

-- The last transaction of a tenant of which events are no longer retained, for each time at which some were forgotten: a
-- follower who began before that time and has not come as far has missed them. A follower who begins later has missed none,
-- though a late event of a day that is forgotten may have a higher number than many that are retained. A later row with a
-- higher number says more than an earlier one, which is deleted: there are few.
create table event_ends (
  tenant text collate "C" not null,
  forgotten_at timestamptz not null default clock_timestamp(),
  transaction_number bigint not null,
  began_at timestamptz not null,
  primary key (tenant, forgotten_at)
);

alter table event_transactions enable row level security;
create policy read_one_tenant on event_transactions for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
alter table event_ends enable row level security;
create policy read_one_tenant on event_ends for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
grant select on event_transactions, event_ends to sluice_reader;

-- Returns the horizon, and for how long the oldest open transaction has held it. It runs as its owner, because PostgreSQL
-- shows the start of a transaction only to its own user and to members of pg_read_all_stats.
create function event_horizon_age(out horizon bigint, out is_open boolean, out age_ms bigint)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select
    public.event_horizon(),
    pg_snapshot_xmin(now_seen) < pg_snapshot_xmax(now_seen),
    coalesce((
      select cast(extract(epoch from clock_timestamp() - min(xact_start)) * 1000 as bigint)
      from pg_stat_activity where backend_xid = cast(pg_snapshot_xmin(now_seen) as xid)
    ), 0)
  from pg_current_snapshot() as now_seen
$body$;
grant execute on function event_horizon_age to sluice_reader;

-- Reads a page of the feed: the events of a tenant, of the transactions after a place and below the horizon, in order of
-- (transaction_number, received_at, id, source).
--
-- place   `start`, the first retained event; `now`, after the last one below the horizon; or `after` the transaction
--         `after_number`, which began at `after_began` (microseconds since the epoch). With `after_event`, only the events
--         of this transaction are read up to the one with that hash. If that one was erased, all of them come again: twice is
--         allowed, never is not. `after_forgotten` is the last time at which events were forgotten when the place was made.
-- A page ends at `max_events`, or before the event with which it would have more than `max_bytes` (the first always fits), or
-- after the transaction with which `max_rows` rows were looked at, whether they match or not. It always looks at one
-- transaction at least, so a filter that matches nothing moves on.
-- condition, condition_values: a filter, as boolean SQL over `e` with references to the first parameter, an array. The
-- caller has to make sure that it has no other text in it.
-- allowed_types, allowed_sources: as for read_event.
--
-- Returns a row `place` with a JSON object, and rows `events` with the events as a JSON array, in pieces of at most
-- `piece_characters`. `state` is `ok`, or says why nothing can follow the place: `restored`, the database is not the one
-- of the place; `forgotten`, events after it are no longer retained.
--
-- Relies on event_transactions_in_order; then on events_by_transaction of the partitions that event_transactions names.
-- The tenant is set and compared as in read_event.
create function read_feed(
  for_tenant text, place text, of_incarnation uuid, after_number bigint, after_began bigint, after_event bigint,
  after_forgotten bigint, max_events integer, max_bytes integer, max_rows integer, piece_characters integer,
  allowed_types text[] default null, allowed_sources text[] default null,
  condition text default null, condition_values text[] default null
)
returns table (part text, piece text)
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  seen record;
  last_forgotten bigint;
  this_incarnation uuid = (select id from incarnation);
  state text = 'ok';
  last_number bigint;
  last_began bigint;
  last_event bigint;
  until_number bigint;
  until_began bigint;
  until_is_last boolean = true;
  looked_at bigint = 0;
  first_number bigint;
  days text;
  resume_at timestamptz;
  resume_id text;
  resume_source text;
  statement text;
  event events;
  body text;
  bytes integer = 2;
  bodies text[] = array[]::text[];
  is_full boolean = false;
begin
  perform set_config('app.tenant', for_tenant, true);
  select * into seen from event_horizon_age();
  -- Read before the events: a day that is forgotten meanwhile counts for the next page.
  select coalesce(max(microseconds(forgotten_at)), 0) into last_forgotten from event_ends where tenant = for_tenant;

  if place = 'now' then
    select number, microseconds(began_at) into last_number, last_began
    from (
      (
        select transaction_number as number, began_at from event_transactions
        where tenant = for_tenant and transaction_number < seen.horizon
        order by transaction_number desc limit 1
      )
      union all
      select transaction_number, began_at from event_ends where tenant = for_tenant
    ) as known
    order by number desc limit 1;
    last_number = coalesce(last_number, 0);
    last_began = coalesce(last_began, 0);
  elsif place = 'start' then
    last_number = 0;
    last_began = 0;
  else
    last_number = after_number;
    last_began = after_began;
    last_event = after_event;
    if of_incarnation <> this_incarnation then
      state = 'restored';
    elsif last_number > 0 and not exists (
      select from event_transactions
      where tenant = for_tenant and transaction_number = last_number and microseconds(began_at) = last_began
      union all
      select from event_ends
      where tenant = for_tenant and transaction_number = last_number and microseconds(began_at) = last_began
    )
    then
      state = 'restored';
    end if;
  end if;

  first_number = last_number + case when last_event is null then 1 else 0 end;
  if state = 'ok' and place <> 'now' then
    -- Chooses the last transaction of the page. A transaction at the end of the limited rows may lack some of its own, so
    -- it is left for the next page, unless it is the first.
    with ahead as (
      select transaction_number, began_at, events from event_transactions
      where tenant = for_tenant and transaction_number >= first_number and transaction_number < seen.horizon
      order by transaction_number
      limit max_rows + 1
    ),
    each as (
      select transaction_number as number, min(began_at) as began_at, sum(events) as events,
        sum(sum(events)) over (order by transaction_number) as total,
        row_number() over (order by transaction_number) as place_in_page,
        row_number() over (order by transaction_number desc) = 1 as is_last
      from ahead group by transaction_number
    )
    select number, microseconds(began_at), total, is_last and (select count(*) from ahead) <= max_rows
    into until_number, until_began, looked_at, until_is_last
    from each
    where place_in_page = 1
      or total - events < max_rows and not (is_last and (select count(*) from ahead) > max_rows)
    order by number desc limit 1;
  end if;

  if until_number is not null then
    select string_agg(
      format(
        'e.retention = %s and e.received_at >= %L and e.received_at < %L',
        retention, day || ' 00:00:00+00', day + 1 || ' 00:00:00+00'
      ), ' or '
    ) into days
    from (
      select distinct retention, day from event_transactions
      where tenant = for_tenant and transaction_number between first_number and until_number
    ) as named;

    if last_event is not null then
      execute 'select received_at, id, source from events as e
        where tenant = $1 and transaction_number = $2 and (' || days || ') and event_hash(id, source) = $3
        order by received_at, id, source limit 1'
      into resume_at, resume_id, resume_source using for_tenant, first_number, last_event;
    end if;

    statement = 'select e.* from events as e
      where e.tenant = $2 and e.transaction_number between $3 and $4 and (' || days || ')'
      || case when resume_at is not null
        then ' and (e.transaction_number > $3 or (e.received_at, e.id, e.source) > ($5, $6, $7))' else '' end
      || case when allowed_types is not null then ' and (e.type = any ($9) or e.type ^@ any ($10))' else '' end
      || case when allowed_sources is not null then ' and (e.source = any ($11) or e.source ^@ any ($12))' else '' end
      || coalesce(' and (' || condition || ')', '')
      || ' order by e.transaction_number, e.received_at, e.id, e.source limit $8';

    last_event = null;
    for event in execute statement
    using condition_values, for_tenant, first_number, until_number, resume_at, resume_id, resume_source,
      max_events + 1, whole_patterns(allowed_types), pattern_beginnings(allowed_types),
      whole_patterns(allowed_sources), pattern_beginnings(allowed_sources)
    loop
      is_full = cardinality(bodies) = max_events;
      exit when is_full;
      body = event_json(event);
      bytes = bytes + octet_length(body) + 1;
      is_full = bytes > max_bytes and cardinality(bodies) > 0;
      exit when is_full;
      bodies = bodies || body;
      last_number = event.transaction_number;
      last_event = event_hash(event.id, event.source);
    end loop;
    if is_full then
      select microseconds(min(began_at)) into last_began
      from event_transactions where tenant = for_tenant and transaction_number = last_number;
    else
      last_number = until_number;
      last_began = until_began;
      last_event = null;
    end if;
  end if;

  -- Behind the events, in a snapshot of its own: a partition that was dropped while they were read had none of them.
  if place = 'after' and of_incarnation = this_incarnation and exists (
    select from event_ends
    where tenant = for_tenant and microseconds(forgotten_at) > after_forgotten
      and (transaction_number > after_number or transaction_number = after_number and after_event is not null)
  ) then
    state = 'forgotten';
  end if;

  return query
  select 'place', cast(json_build_object(
    'state', state, 'incarnation', this_incarnation, 'number', cast(last_number as text),
    'began', cast(last_began as text), 'event', cast(last_event as text), 'forgotten', cast(last_forgotten as text),
    'events', cardinality(bodies), 'lookedAt', coalesce(looked_at, 0), 'isEnd', coalesce(until_is_last, true) and not is_full, 'isOpen', seen.is_open, 'ageMs', seen.age_ms
  ) as text);
  body = '[' || array_to_string(bodies, ',') || ']';
  return query
  select 'events', substr(body, number * piece_characters + 1, piece_characters)
  from generate_series(0, (length(body) - 1) / piece_characters) as number
  order by number;
end
$body$;
grant execute on function read_feed to sluice_reader;

-- Returns a text that changes with each event of a tenant that is stored in a range of time, however late, and whenever events
-- of the tenant are removed: the hash of the last transaction below the horizon of each day in the range, and of the time of the
-- last removal. A transaction becomes visible to lists when it is below the horizon, and its number is then above all that
-- were. The time at which it began tells a restored database from the one before. Whatever removes stored events has to note
-- that behind its commit (note_removals).
-- `age_ms` is that of event_horizon_age.
--
-- Relies on event_transactions_by_day: it jumps from day to day, and reads one row of each. It reads no event.
-- The tenant is set and compared as in read_event.
create function window_state(for_tenant text, from_time timestamptz, to_time timestamptz)
returns table (version text, age_ms bigint)
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  seen record;
  first_day constant date = cast(coalesce(from_time, '-infinity') at time zone 'UTC' as date);
  last_day constant date = cast(coalesce(to_time, 'infinity') at time zone 'UTC' as date);
begin
  perform set_config('app.tenant', for_tenant, true);
  select * into seen from event_horizon_age();
  return query
  with recursive days (day) as (
    (
      select known.day from event_transactions as known
      where tenant = for_tenant and known.day >= first_day and known.day <= last_day
      order by known.day limit 1
    )
    union all
    select (
      select known.day from event_transactions as known
      where tenant = for_tenant and known.day > days.day and known.day <= last_day
      order by known.day limit 1
    )
    from days where days.day is not null
  )
  select
    encode(sha256(convert_to(
      concat((select id from incarnation), (
        select microseconds(removed_at) from event_removals where tenant = for_tenant
      ), (
        select string_agg(concat_ws(' ', days.day, last.transaction_number, microseconds(last.began_at)), ',' order by days.day)
        from days cross join lateral (
          select known.transaction_number, known.began_at from event_transactions as known
          where tenant = for_tenant and known.day = days.day and known.transaction_number < seen.horizon
          order by known.transaction_number desc limit 1
        ) as last
      )), 'UTF8'
    )), 'hex'),
    seen.age_ms;
end
$body$;
grant execute on function window_state to sluice_reader;

-- Microseconds since the epoch, in which a time keeps all its digits.
create function microseconds(instant timestamptz) returns bigint
language sql immutable as $body$ select cast(extract(epoch from instant) * 1000000 as bigint) $body$;
grant execute on function microseconds to sluice_reader;

-- A number that stands for an event among those of a transaction, or of a tenant and a time.
create function event_hash(id text, source text) returns bigint
language sql immutable as $body$ select hashtextextended(id, hashtextextended(source, 0)) $body$;
grant execute on function event_hash to sluice_reader;

-- Of patterns as in functions/core/patterns.ts those that are whole texts, and the beginnings of the others.
create function whole_patterns(patterns text[]) returns text[]
language sql immutable as $body$ select array(select each from unnest(patterns) as each where right(each, 1) <> '*') $body$;
grant execute on function whole_patterns to sluice_reader;
create function pattern_beginnings(patterns text[]) returns text[]
language sql immutable as $body$
  select array(select left(each, -1) from unnest(patterns) as each where right(each, 1) = '*')
$body$;
grant execute on function pattern_beginnings to sluice_reader;

-- Forgets transactions of a class and day, at most so many rows, and returns their number; 0 when there are no more. The end of
-- each tenant is noted with the first ones. It belongs before the detachment of the day's table: a follower who has not come as
-- far is then refused, instead of losing events without a trace. Relies on event_transactions_by_day: it jumps from one
-- tenant to the next.
create function forget_transactions(of_class integer, of_day date, most integer default 100000) returns bigint
language plpgsql set enable_seqscan = off as $body$
declare
  forgotten bigint;
begin
  with recursive tenants (tenant) as (
    (select tenant from event_transactions order by tenant limit 1)
    union all
    select (select t.tenant from event_transactions as t where t.tenant > tenants.tenant order by t.tenant limit 1)
    from tenants where tenants.tenant is not null
  ),
  ends as (
    select tenants.tenant, last.transaction_number, last.began_at
    from tenants cross join lateral (
      select t.transaction_number, t.began_at from event_transactions as t
      where t.tenant = tenants.tenant and t.day = of_day and t.retention = of_class
      order by t.transaction_number desc limit 1
    ) as last
    where not exists (
      select from event_ends as known
      where known.tenant = tenants.tenant and known.transaction_number = last.transaction_number
    )
  ),
  exceeded as (
    delete from event_ends as known using ends
    where known.tenant = ends.tenant and known.transaction_number <= ends.transaction_number
  )
  insert into event_ends (tenant, transaction_number, began_at) select tenant, transaction_number, began_at from ends;

  with recursive tenants (tenant) as (
    (select tenant from event_transactions order by tenant limit 1)
    union all
    select (select t.tenant from event_transactions as t where t.tenant > tenants.tenant order by t.tenant limit 1)
    from tenants where tenants.tenant is not null
  ),
  ended as (
    delete from event_transactions where ctid = any (array(
      select t.ctid
      from tenants join event_transactions as t on t.tenant = tenants.tenant and t.day = of_day and t.retention = of_class
      order by t.tenant, t.transaction_number limit most
    ))
    returning tenant
  ),
  noted as (
    insert into event_removals as known (tenant, events_before)
    select distinct tenant, cast(of_day + 1 as timestamp) at time zone 'UTC' from ended order by 1
    on conflict (tenant) do update set events_before = greatest(known.events_before, excluded.events_before)
  )
  select count(*) into forgotten from ended;
  return forgotten;
end
$body$;

-- Begins a new incarnation where the database was restored from a dump: PostgreSQL counts transactions from the beginning
-- there, and events would come before those that followers have read. Numbers go on above the highest, cursors from before
-- are refused. Returns whether it did; functions/migrate asks each time. A restore from a snapshot or to a point in time
-- keeps the count, and needs none.
create function ensure_incarnation() returns boolean
language plpgsql as $body$
declare
  highest bigint = greatest(
    (select max(transaction_number) from event_transactions), (select max(transaction_number) from event_ends)
  );
  next_number bigint = cast(cast(pg_snapshot_xmax(pg_current_snapshot()) as text) as bigint);
  number_default text;
  changed text;
begin
  if highest is null or highest < next_number + (select number_offset from incarnation) then
    return false;
  end if;
  update incarnation set id = gen_random_uuid(), number_offset = highest + 1 - next_number;
  number_default = 'cast(cast(pg_current_xact_id() as text) as bigint) + ' || (highest + 1 - next_number);
  foreach changed in array array['events', 'event_transactions'] loop
    execute format('alter table %I alter column transaction_number set default %s', changed, number_default);
  end loop;
  return true;
end
$body$;

-- An open transaction holds the horizon, and with it every follower. The consumer's are single statements, which the Data
-- API ends after 45 seconds; should it fail to, PostgreSQL does. Roles belong to the cluster, so they may have the limits
-- already; two migrations that set them at the same time would fail.
do $body$
declare
  user_name text;
begin
  foreach user_name in array array['sluice_writer_1', 'sluice_writer_2'] loop
    continue when exists (
      select from pg_db_role_setting
      where setrole = to_regrole(user_name) and setdatabase = 0 and 'transaction_timeout=60s' = any (setconfig)
    );
    execute format('alter role %I set statement_timeout = %L', user_name, '50s');
    execute format('alter role %I set idle_in_transaction_session_timeout = %L', user_name, '10s');
    execute format('alter role %I set transaction_timeout = %L', user_name, '60s');
  end loop;
end
$body$;
