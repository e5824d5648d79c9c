-- Why: erasures, which take events out of every place and keep them out (decision 0036).
-- Locks: new tables and functions only; record_dead_letters is replaced.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes. Statements
-- that are built have their text in single quotes.

-- One row: the secret of the hashes below, as HMAC (RFC 2104) uses it. It is made here, and never leaves the database.
create table erasure_key (
  is_only boolean primary key default true check (is_only),
  inner_pad bytea not null,
  outer_pad bytea not null
);
do $body$
declare
  secret bytea = uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || decode(repeat('00', 32), 'hex');
  inner_pad bytea = secret;
  outer_pad bytea = secret;
begin
  for place in 0 .. 63 loop
    inner_pad = set_byte(inner_pad, place, get_byte(secret, place) # 54);
    outer_pad = set_byte(outer_pad, place, get_byte(secret, place) # 92);
  end loop;
  insert into erasure_key (inner_pad, outer_pad) values (inner_pad, outer_pad);
end
$body$;

-- What must not be stored: hashes of source and id, of events that were erased (`event`) and of those that a request names (`named`), of
-- ids of whatever source (`id`) and of subjects (`subject`), for events that were received until a time. They outlive the erasure, and nobody can read from them what was erased.
create table erased_keys (
  tenant text collate "C" not null,
  hash bytea not null,
  erasure_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('event', 'named', 'id', 'subject')),
  received_until timestamptz not null,
  primary key (tenant, hash, erasure_id)
);

-- The hashes of an erasure: its receipt, and what ends with it.
create index erased_keys_of_erasure on erased_keys (erasure_id, kind);
-- Finds whether a tenant has rules for events that were received later. They are few, and most batches are behind them.
create index erased_keys_rules on erased_keys (tenant, kind, received_until) where kind in ('id', 'subject');

-- The same for filters, whose condition is over the row `e`, with its texts as ($1)[n]. They are dropped at `ends_at`: by then nothing
-- is on its way that was received until `received_until`.
create table suppressions (
  erasure_id text collate "C" primary key,
  tenant text collate "C" not null,
  condition text not null,
  texts text[] not null,
  received_until timestamptz not null,
  ends_at timestamptz not null
);

-- The jobs. `place` is where the work is, and the position within it; what a request names is deleted at the end.
create table erasures (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  state text collate "C" not null default 'waiting' check (state in ('waiting', 'running', 'done', 'cancelled', 'failed')),
  selected_by text collate "C" not null check (selected_by in ('subject', 'ids', 'filter')),
  -- JSON of the subject or the filter; ids are in erasure_ids. Null when it has ended.
  request text,
  -- HMAC of the request, in hexadecimal.
  request_hash text not null,
  why text not null,
  suppress text collate "C" check (suppress in ('none', '30d', 'forever')),
  key_id text not null,
  planned jsonb not null,
  -- Events whose ids are erased, and others that match, are erased and refused where they were received until then. A time that is over
  -- when the job starts is that of its start.
  keys_until timestamptz not null,
  rules_until timestamptz not null,
  place text collate "C" not null default 'rows'
    check (place in ('rows', 'dead_letters', 'objects', 'deliveries', 'rollups', 'end')),
  -- The place begins when every transaction below it has ended; null where it is still to be raised.
  barrier bigint,
  at_table text,
  after_received_at timestamptz,
  after_id text collate "C",
  after_source text collate "C",
  object_cursor text,
  -- The holds that objects were last compared with.
  known_holds text[] not null default '{}',
  counts jsonb not null default '{}',
  horizon_before bigint,
  horizon_after bigint,
  -- SHA-256 over the sorted HMACs of its events, in hexadecimal.
  events_sha256 text,
  lease_by text,
  lease_until timestamptz,
  reason text,
  detail text,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  progress_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz
);
create index erasures_of_tenant on erasures (tenant, id);

-- The failed jobs of a request, which the same request goes on with.
create index erasures_failed on erasures (tenant, request_hash) where state = 'failed';

-- The ids that a request names, until it has ended; without a source all of them.
create table erasure_ids (
  erasure_id text collate "C" not null,
  id text collate "C" not null,
  source text collate "C",
  unique nulls not distinct (erasure_id, id, source)
);

-- The events that an erasure has found, until it is done: the places behind the rows are searched for them. Of a failed one they stay for
-- some days, because the same request, made again, has to find in those places what it had erased.
create table erasure_events (
  erasure_id text collate "C" not null,
  id text collate "C" not null,
  source text collate "C" not null,
  received_at timestamptz not null,
  -- The rollups have it no more.
  is_counted boolean not null default false,
  primary key (erasure_id, id, source, received_at)
);

-- The groups of rollups whose least or greatest number may have been erased.
create table erasure_groups (
  erasure_id text collate "C" not null,
  minute timestamptz not null,
  type text collate "C" not null,
  source text collate "C" not null,
  primary key (erasure_id, minute, type, source)
);

-- Nobody but the owner has a right on them. Row level security without a policy keeps them empty for others if somebody gets one.
alter table erasure_key enable row level security;
alter table erased_keys enable row level security;
alter table suppressions enable row level security;
alter table erasures enable row level security;
alter table erasure_ids enable row level security;
alter table erasure_events enable row level security;
alter table erasure_groups enable row level security;

-- HMAC-SHA256 of a tenant and two texts, with the pads of the secret. Lengths stand before the texts, so no two are alike.
-- It is as stable as convert_to, so PostgreSQL puts its body into the query; a call would take longer than the hash.
create function erased_hash(inner_pad bytea, outer_pad bytea, kind text, tenant text, first text, second text) returns bytea
language sql stable as $body$
  select sha256(outer_pad || sha256(inner_pad || convert_to(
    kind || ',' || cast(length(tenant) as text) || ',' || tenant || cast(length(first) as text) || ',' || first || second, 'UTF8'
  )))
$body$;

-- The places, from 0, of the events of a batch of store_batch that are erased. Whoever stores calls it behind its first write,
-- pg_current_xact_id() for example, and an erasure waits for the transactions that had a number before its rules were there. So
-- each either sees the rules, or has stored before the erasure looks.
-- Each hash is made once, where the tenant has such keys, and looked up in their index. An event whose time of receipt nobody knows was
-- received before. Only the rules of filters need data.
create function erased_places(batch jsonb) returns integer[]
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
declare
  pad erasure_key;
  rule suppressions;
  places integer[];
  of_rule integer[];
begin
  select * into pad from erasure_key;
  with given as materialized (
    select ordinality - 1 as place, tenant, id, source, subject, coalesce(received_at, '-infinity') as received_at
    from rows from (
      jsonb_to_recordset(batch) as (tenant text collate "C", id text, source text, subject text, received_at timestamptz)
    ) with ordinality
  ), named as materialized (
    select each.tenant,
      exists (
        select from erased_keys as k where k.tenant = each.tenant and k.kind = 'id' and k.received_until >= each.first_received
      ) as by_id,
      exists (
        select from erased_keys as k where k.tenant = each.tenant and k.kind = 'subject' and k.received_until >= each.first_received
      ) as by_subject
    from (select tenant, min(received_at) as first_received from given group by 1) as each
    where exists (select from erased_keys as k where k.tenant = each.tenant)
  )
  select array_agg(cast(given.place as integer)) into places
  from named join given using (tenant)
  where exists (
    select from unnest(array[
      erased_hash(pad.inner_pad, pad.outer_pad, 'event', tenant, given.source, given.id),
      case when named.by_id then erased_hash(pad.inner_pad, pad.outer_pad, 'id', tenant, given.id, '') end,
      case when named.by_subject then erased_hash(pad.inner_pad, pad.outer_pad, 'subject', tenant, given.subject, '') end
    ]) as each (of_event)
      -- The limit keeps the order: one lookup a hash, however many the statistics say that there are.
      cross join lateral (
        select from erased_keys as k
        where k.tenant = given.tenant and k.hash = each.of_event and k.received_until >= given.received_at limit 1
      ) as found
  );
  for rule in
    select * from suppressions as s
    where s.tenant in (select distinct b.value ->> 'tenant' from jsonb_array_elements(batch) as b)
  loop
    execute '
      select array_agg(cast(each.ordinality - 1 as integer))
      from jsonb_array_elements($2) with ordinality as each
        cross join lateral (
          select each.value ->> ''id'' as id, each.value ->> ''source'' as source, each.value ->> ''type'' as type,
            each.value ->> ''subject'' as subject, cast(each.value ->> ''time'' as timestamptz) as time,
            each.value ->> ''time_sent'' as time_sent, each.value ->> ''dataschema'' as dataschema,
            each.value ->> ''datacontenttype'' as datacontenttype, each.value -> ''extensions'' as extensions,
            each.value #> ''{data,0}'' as data
        ) as e
      where each.value ->> ''tenant'' = $3
        and coalesce(cast(each.value ->> ''received_at'' as timestamptz), ''-infinity'') <= $4
        and (' || rule.condition || ') is true'
    into of_rule using rule.texts, batch, rule.tenant, rule.received_until;
    places = places || of_rule;
  end loop;
  return places;
end
$body$;

-- The lines of an archive without those of erased events, in the form of restore_events.
create function lines_without_erased(for_tenant text, lines text) returns text
language plpgsql as $body$
declare
  places integer[];
begin
  if not exists (select from erased_keys where tenant = for_tenant) and not exists (select from suppressions where tenant = for_tenant)
    or lines = ''
  then
    return lines;
  end if;
  select erased_places(jsonb_agg(archived_row(for_tenant, 0, cast(translate(each, '''"', '"''') as jsonb)) order by number))
  into places
  from unnest(string_to_array(lines, chr(10))) with ordinality as text (each, number);
  return coalesce((
    select string_agg(each, chr(10) order by number)
    from unnest(string_to_array(lines, chr(10))) with ordinality as text (each, number)
    where places is null or number - 1 <> all (places)
  ), '');
end
$body$;

-- Counts events that ended by an erasure, or whose dead letters did, as discarded. A number that has ended already is counted no
-- more.
create function count_discarded(ended arrived_line[]) returns void
language plpgsql as $body$
begin
  perform lock_arrivals(array_agg(distinct tenant || ' ' || producer)) from unnest(ended) where producer is not null;
  insert into arrival_deltas (tenant, producer, numbers, unnumbered, discarded)
  with known as (
    select tenant, producer, range_agg(numbers) as numbers from all_arrivals
    where (tenant, producer) in (select tenant, producer from unnest(ended))
    group by tenant, producer
  )
  select tenant, producer, range_agg(int8range(number, number + 1)), null, count(*)
  from (select distinct tenant, producer, number from unnest(ended) where producer is not null) as given
    left join known using (tenant, producer)
  where not coalesce(known.numbers @> number, false) and not exists (
    select from dead_letters as d where (d.tenant, d.producer, d.sequence) = (given.tenant, given.producer, given.number)
  )
  group by tenant, producer
  union all
  select tenant, '', '{}', count(*), count(*) from unnest(ended) where producer is null group by tenant;
end
$body$;

-- As before (0007), without the dead letters of erased events: these end here, and count as discarded.
create or replace function record_dead_letters(lines text[], bodies text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  this_transaction constant xid8 = pg_current_xact_id();
  recorded integer;
  erased integer[];
begin
  if exists (select from erased_keys) or exists (select from suppressions) then
    erased = erased_dead_letters(lines, bodies);
  end if;
  if erased is not null then
    perform count_discarded(array_agg(cast(row(line.tenant, line.producer, line.sequence, 'erased') as arrived_line)))
    from unnest(lines) with ordinality as given (text, place)
      cross join lateral jsonb_to_record(cast(given.text as jsonb)) as line (tenant text, producer text, sequence bigint)
    where place = any (erased);
    select array_agg(line order by place), array_agg(body order by place) into lines, bodies
    from rows from (unnest(lines), unnest(bodies)) with ordinality as given (line, body, place)
    where place <> all (erased);
    if lines is null then
      return 0;
    end if;
  end if;
  begin
    recorded = insert_dead_letters(lines, bodies, true, false);
  exception
    when data_exception or integrity_constraint_violation or program_limit_exceeded then
      recorded = 0;
      for number in 1 .. cardinality(lines) loop
        begin
          recorded = recorded + insert_dead_letters(array[lines[number]], array[bodies[number]], true, true);
        exception
          when data_exception or integrity_constraint_violation or program_limit_exceeded then
            recorded = recorded + insert_dead_letters(array[lines[number]], array[bodies[number]], false, true);
        end;
      end loop;
  end;
  return recorded;
end
$body$;

-- The places, from 1, of dead letters of erased events. Where PostgreSQL cannot hold the event, filters see what it can hold.
create function erased_dead_letters(lines text[], bodies text[]) returns integer[]
language plpgsql as $body$
declare
  batch jsonb;
  numbers bigint[];
  places integer[];
begin
  select jsonb_agg(jsonb_build_object(
    'tenant', line.tenant, 'id', line.event_id, 'source', line.source, 'type', line.type, 'subject', line.subject,
    'time', case when pg_input_is_valid(line.sent_time, 'timestamptz') then line.sent_time end, 'time_sent', line.time_sent,
    'received_at', case when pg_input_is_valid(line.sent_received_at, 'timestamptz') then line.sent_received_at end,
    'dataschema', line.dataschema, 'datacontenttype', line.datacontenttype,
    'extensions', event -> 'extensions', 'data', case when event ? 'data' then jsonb_build_array(event -> 'data') end
  ) order by place), array_agg(place order by place)
  into batch, numbers
  from rows from (unnest(lines), unnest(bodies)) with ordinality as given (text, body, place)
    cross join lateral jsonb_to_record(cast(given.text as jsonb)) as line (
      tenant text, event_id text, source text, type text, subject text, sent_time text, time_sent text, sent_received_at text,
      dataschema text, datacontenttype text, is_event boolean
    )
    cross join lateral (
      select case when line.is_event and pg_input_is_valid(given.body, 'jsonb') then cast(given.body as jsonb) #> '{events,0}' end as event
    ) as parsed
  where line.tenant is not null and line.event_id is not null;
  if batch is null then
    return null;
  end if;
  places = erased_places(batch);
  return (select array_agg(cast(numbers[place + 1] as integer)) from unnest(places) as place);
end
$body$;

-- A job as JSON, with whether its place may begin.
create function erasure_json(job erasures) returns text
language sql stable as $body$
  select cast(json_build_object(
    'id', job.id, 'tenant', job.tenant, 'state', job.state, 'by', job.selected_by, 'request', cast(job.request as json),
    'requestHash', job.request_hash, 'why', job.why, 'suppress', job.suppress, 'keyId', job.key_id, 'planned', job.planned,
    'place', job.place, 'needsBarrier', job.barrier is null, 'isSettled', coalesce(event_horizon() >= job.barrier, false), 'cursor', job.object_cursor, 'counts', job.counts,
    'horizonBefore', cast(job.horizon_before as text), 'horizonAfter', cast(job.horizon_after as text),
    'eventsSha256', job.events_sha256, 'reason', job.reason, 'detail', job.detail,
    'createdAt', replay_time(job.created_at), 'startedAt', replay_time(job.started_at),
    'progressAt', replay_time(job.progress_at), 'finishedAt', replay_time(job.finished_at)
  ) as text)
$body$;

-- Adds numbers to the counts of a job.
create function add_counts(counts jsonb, added jsonb) returns jsonb
language sql immutable as $body$
  select counts || coalesce((
    select jsonb_object_agg(key, coalesce(cast(counts ->> key as bigint), 0) + cast(value as bigint)) from jsonb_each_text(added)
  ), '{}')
$body$;

-- Writes a job that waits for its start. `ids` is a JSON array of [id, source or null]. Done again with the same id, it changes
-- nothing. Keys are refused for as long as `suppress` says, for ever where it says nothing; others that match only where it says so,
-- and where they were received before now.
create function start_erasure(
  for_id text, for_tenant text, by text, for_request text, ids jsonb, for_why text, for_suppress text, for_key text, to_do jsonb
)
returns text
language plpgsql as $body$
declare
  job erasures;
  pad erasure_key;
  now_at constant timestamptz = clock_timestamp();
begin
  select * into pad from erasure_key;
  insert into erasures (
    id, tenant, selected_by, request, request_hash, why, suppress, key_id, planned, keys_until, rules_until, created_at
  )
  values (
    for_id, for_tenant, by, for_request,
    encode(erased_hash(pad.inner_pad, pad.outer_pad, 'request', for_tenant, coalesce(for_request, cast(ids as text)), ''), 'hex'),
    for_why, for_suppress, for_key, to_do,
    case for_suppress when 'none' then now_at when '30d' then now_at + interval '30 days' else 'infinity' end,
    case coalesce(for_suppress, 'none') when 'none' then now_at when '30d' then now_at + interval '30 days' else 'infinity' end,
    now_at
  )
  on conflict (id) do nothing returning * into job;
  if job.id is null then
    select * into job from erasures where id = for_id;
  else
    insert into erasure_ids (erasure_id, id, source)
    select for_id, each ->> 0, each ->> 1 from jsonb_array_elements(ids) as each on conflict do nothing;
  end if;
  return erasure_json(job);
end
$body$;

create function read_erasure(for_tenant text, for_id text) returns text
language sql stable as $body$
  select erasure_json(job) from erasures as job where job.id = for_id and job.tenant = for_tenant
$body$;

-- The jobs before one, latest first, a row each. Relies on erasures_of_tenant.
create function list_erasures(for_tenant text, before_id text, most integer) returns table (job text)
language sql stable as $body$
  select erasure_json(job) from (
    select each.* from erasures as each
    where each.tenant = for_tenant and (before_id is null or each.id < before_id)
    order by each.id desc limit most
  ) as job
$body$;

create function count_unfinished_erasures(for_tenant text) returns bigint
language sql stable as $body$
  select count(*) from erasures where tenant = for_tenant and state in ('waiting', 'running')
$body$;

-- Ends a job that has not started. Returns it as it is.
create function cancel_erasure(for_tenant text, for_id text) returns text
language plpgsql as $body$
begin
  update erasures set state = 'cancelled', request = null, finished_at = clock_timestamp()
  where id = for_id and tenant = for_tenant and state = 'waiting';
  if found then
    delete from erasure_ids where erasure_id = for_id;
  end if;
  return read_erasure(for_tenant, for_id);
end
$body$;

-- Gives a job to a step, unless another one has it; as hold_replay does.
create function hold_erasure(for_id text, holder text, for_seconds integer)
returns table (outcome text, seconds integer, job text)
language plpgsql as $body$
declare
  found_job erasures;
begin
  update erasures set lease_by = holder, lease_until = clock_timestamp() + for_seconds * interval '1 second'
  where id = for_id and state in ('waiting', 'running') and (lease_until is null or lease_until <= clock_timestamp())
  returning * into found_job;
  if found then
    return query select 'held', 0, erasure_json(found_job);
    return;
  end if;
  select * into found_job from erasures where id = for_id;
  return query select
    case when found_job.id is null then 'absent' when found_job.state not in ('waiting', 'running') then 'over' else 'leased' end,
    cast(ceil(greatest(extract(epoch from found_job.lease_until - clock_timestamp()), 0)) as integer),
    case when found_job.id is null then null else erasure_json(found_job) end;
end
$body$;

create function release_erasure(for_id text, holder text) returns setof text
language sql as $body$
  update erasures set lease_until = null, lease_by = null where id = for_id and lease_by = holder returning id
$body$;

-- Starts a job: writes its rules, before anything is searched for. `condition` is that of its filter. What failed jobs of the same
-- request have found is its own from then on.
create function begin_erasure(for_id text, holder text, condition text, texts text[]) returns text
language plpgsql as $body$
declare
  job erasures;
  pad erasure_key;
begin
  select * into job from erasures where id = for_id and state = 'waiting' and lease_by = holder for update;
  if not found then
    return null;
  end if;
  job.keys_until = greatest(job.keys_until, clock_timestamp());
  job.rules_until = greatest(job.rules_until, clock_timestamp());
  select * into pad from erasure_key;
  if job.selected_by = 'subject' then
    insert into erased_keys (tenant, hash, erasure_id, kind, received_until)
    select job.tenant,
      erased_hash(pad.inner_pad, pad.outer_pad, 'subject', job.tenant, cast(job.request as json) ->> 'subject', ''), for_id,
      'subject', job.rules_until
    on conflict do nothing;
  elsif job.selected_by = 'filter' then
    insert into suppressions (erasure_id, tenant, condition, texts, received_until, ends_at)
    values (for_id, job.tenant, condition, texts, job.rules_until, job.rules_until + interval '30 days')
    on conflict do nothing;
  else
    insert into erased_keys (tenant, hash, erasure_id, kind, received_until)
    select job.tenant,
      case when i.source is null then erased_hash(pad.inner_pad, pad.outer_pad, 'id', job.tenant, i.id, '')
        else erased_hash(pad.inner_pad, pad.outer_pad, 'event', job.tenant, i.source, i.id) end,
      for_id, case when i.source is null then 'id' else 'named' end, job.keys_until
    from erasure_ids as i where i.erasure_id = for_id
    on conflict do nothing;
  end if;
  with found as (
    delete from erasure_events where erasure_id in (
      select f.id from erasures as f where f.tenant = job.tenant and f.request_hash = job.request_hash and f.state = 'failed'
    )
    returning id, source, received_at, is_counted
  )
  insert into erasure_events (erasure_id, id, source, received_at, is_counted)
  select for_id, id, source, received_at, bool_or(is_counted) from found group by 2, 3, 4;
  with touched as (
    delete from erasure_groups where erasure_id in (
      select f.id from erasures as f where f.tenant = job.tenant and f.request_hash = job.request_hash and f.state = 'failed'
    )
    returning minute, type, source
  )
  insert into erasure_groups (erasure_id, minute, type, source) select distinct for_id, minute, type, source from touched;
  update erasures set
    state = 'running', keys_until = job.keys_until, rules_until = job.rules_until, started_at = clock_timestamp(),
    progress_at = clock_timestamp(), horizon_before = event_horizon()
  where id = for_id;
  return read_erasure(job.tenant, for_id);
end
$body$;

-- Makes a place wait for every transaction that may not have seen what was committed before. It is a transaction of its own behind that
-- commit, so whatever had a number before the commit has a lower one.
create function raise_barrier(for_id text, holder text) returns text
language sql as $body$
  update erasures as job
  set barrier = cast(cast(pg_current_xact_id() as text) as bigint) + (select number_offset from incarnation)
  where job.id = for_id and job.state = 'running' and job.lease_by = holder and job.barrier is null
  returning erasure_json(job)
$body$;

-- The tables that may have events of a tenant, in the order in which an erasure goes through them: those of days, also detached ones;
-- those of restores beside the live events; and the held events at last, because retention moves events there. For ids the events
-- of attached tables are found by their keys, before; a query of all events does not see those of a table that is being detached.
create function erasure_tables(for_tenant text, by text) returns setof text
language sql stable as $body$
  select name from (
    select '1 ' || day_table('events', class, day) as name from retention_days
    where state <> 'dropped'
      and (by <> 'ids' or attachment_of(day_table('events', class, day)) in ('detached', 'pending'))
    union all
    select '2 ' || restore_table(id) from restores where tenant = for_tenant and target = 'beside' and dropped_at is null
    union all
    select '3 events_held'
    union all
    select '0 keys' where by = 'ids'
  ) as each
  where left(name, 1) = '0' or to_regclass(substr(name, 3)) is not null
  order by name collate "C"
$body$;

-- The rows of one of these tables as `e`, with the columns that a filter asks about.
create function erasure_source(of_table text, for_tenant text) returns text
language sql immutable as $body$
  select case when left(of_table, 1) = '2' then format('
    (
      select r.received_at, r.id, r.source, line ->> ''type'' as type, line ->> ''subject'' as subject,
        cast(made ->> ''time'' as timestamptz) as time, made ->> ''time_sent'' as time_sent, line ->> ''dataschema'' as dataschema,
        line ->> ''datacontenttype'' as datacontenttype, made -> ''extensions'' as extensions, line -> ''data'' as data,
        cast(%2$L as text) collate "C" as tenant
      from public.%1$I as r cross join lateral (select cast(r.event as jsonb) as line) as parsed
        cross join lateral (select archived_row(%2$L, 0, line) as made) as read
    ) as e', substr(of_table, 3), for_tenant)
  else format('public.%I as e', substr(of_table, 3)) end
$body$;

-- Whether the holds of a tenant that are in force are all among these.
create function knows_holds(for_tenant text, hold_ids text[]) returns boolean
language sql as $body$
  select not exists (select from active_holds() as h where h.tenant = for_tenant and h.id <> all (hold_ids))
$body$;

-- The condition of a selection by ids over the row `e`; `named` is the source of its ids and sources.
create function ids_condition(named text) returns text
language sql immutable as $body$
  select format(
    '(e.id in (select i.id from %1$s where i.source is null) or (e.id, e.source) in (select i.id, i.source from %1$s where i.source is not null))',
    named
  )
$body$;

-- Counts the events of a selection, and names the first hold that has one of them. `condition` and `held` are expressions over the row
-- `e`, with their texts as ($1)[n]; `held` gives an item of $2, the ids of the holds. It ends after some time: then it is not complete.
create function plan_erasure(
  for_tenant text, by text, ids jsonb, condition text, held text, texts text[], hold_ids text[], milliseconds integer
)
returns table (events bigint, restored bigint, dead_letters bigint, deliveries bigint, is_complete boolean, hold_id text)
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set max_parallel_workers_per_gather = 0 set jit = off as $body$
#variable_conflict use_variable
declare
  deadline constant timestamptz = clock_timestamp() + milliseconds * interval '1 millisecond';
  subscriptions_of_tenant text[] = array(select s.id from subscriptions as s where s.tenant = for_tenant);
  of_table text;
  candidate record;
  seen integer = 0;
  source text;
begin
  if by = 'ids' then
    condition = ids_condition('jsonb_to_recordset($3) as i (id text, source text)');
  end if;
  events = 0;
  restored = 0;
  dead_letters = 0;
  deliveries = 0;
  is_complete = true;
  for of_table in select * from erasure_tables(for_tenant, by) loop
    source = case when of_table = '0 keys'
      then '(select stored.* from (select distinct i.id, i.source from jsonb_to_recordset($3) as i (id text, source text)) as i'
        || ' join public.event_keys as k on k.tenant = $4 and k.id = i.id and (i.source is null or k.source = i.source)'
        || ' cross join lateral (select * from public.events as s where s.tenant = k.tenant and s.retention = k.retention'
        || ' and s.received_at = k.received_at and s.id = k.id and s.source = k.source limit 1) as stored) as e'
      else erasure_source(of_table, for_tenant) end;
    for candidate in
      execute 'select e.id, e.source, (' || condition || ') is true as is_wanted, case when (' || condition || ') is true then '
        || held || ' end as hold_id from ' || source || ' where e.tenant = $4'
      using texts, hold_ids, ids, for_tenant
    loop
      seen = seen + 1;
      if candidate.is_wanted then
        hold_id = coalesce(hold_id, candidate.hold_id);
        if left(of_table, 1) = '2' then
          restored = restored + 1;
        else
          events = events + 1;
          if subscriptions_of_tenant <> '{}' then
            deliveries = deliveries + (
              select count(*) from deliveries as d
              where d.subscription_id = any (subscriptions_of_tenant) and d.event_id = candidate.id
                and d.event_source = candidate.source
            );
          end if;
        end if;
      end if;
      if seen % 64 = 0 and clock_timestamp() > deadline then
        is_complete = false;
        exit;
      end if;
    end loop;
    exit when not is_complete or hold_id is not null;
  end loop;
  execute 'select count(*) filter (where wanted), min(hold_id) filter (where wanted) from (select (' || condition
    || ') is true as wanted, ' || held || ' as hold_id' || dead_letter_source() || 'd.tenant = $4 and d.is_event) as each'
  into dead_letters, source using texts, hold_ids, ids, for_tenant;
  hold_id = coalesce(hold_id, source);
  return next;
end
$body$;

-- Takes events out of the table of a job's position: rows with their keys, fields and numbers in the rollups. Returns how many there were.
create function erase_from(job erasures, of_table text, at timestamptz[], ids text[], sources text[]) returns integer
language plpgsql as $body$
declare
  leaf constant text = substr(of_table, 3);
  removed stored_event[];
  erased integer;
  pad erasure_key;
begin
  select * into pad from erasure_key;
  insert into erased_keys (tenant, hash, erasure_id, kind, received_until)
  select distinct job.tenant, erased_hash(pad.inner_pad, pad.outer_pad, 'event', job.tenant, source, id), job.id, 'event', job.keys_until
  from unnest(ids, sources) as given (id, source)
  on conflict (tenant, hash, erasure_id) do update set kind = 'event';

  if left(of_table, 1) = '2' then
    execute format('
      with taken as (
        delete from public.%I as r using unnest($1, $2, $3) as g (at, id, source)
        where r.received_at = g.at and r.id = g.id and r.source = g.source
        returning r.received_at, r.id, r.source
      ), noted as (
        insert into erasure_events (erasure_id, id, source, received_at) select $4, id, source, received_at from taken
        on conflict do nothing
      )
      select count(*) from taken', leaf
    ) into erased using at, ids, sources, job.id;
    update erasures set counts = add_counts(counts, jsonb_build_object('restored', erased)) where erasures.id = job.id;
    return erased;
  end if;

  execute format('
    with taken as (
      delete from public.%1$I as e using unnest($2, $3, $4) as g (at, id, source)
      where e.tenant = $1 and e.received_at = g.at and e.id = g.id and e.source = g.source
      returning e.tenant, e.type, e.source, e.received_at, e.id, e.data
    ), keys as (
      delete from event_keys as k using taken
      where (k.tenant, k.id, k.source) = (taken.tenant, taken.id, taken.source) and k.received_at = taken.received_at
    ), noted as (
      insert into erasure_events (erasure_id, id, source, received_at, is_counted)
      select $5, id, source, received_at, true from taken
      on conflict (erasure_id, id, source, received_at) do update set is_counted = true
    )
    select array_agg(cast(row(
      tenant, type, source, received_at,
      array(
        select cast(row(m.pointer, taken.data #> m.path) as measured) from measures as m
        where m.type = taken.type and jsonb_typeof(taken.data #> m.path) = ''number''
      )
    ) as stored_event)) from taken', leaf
  ) into removed using job.tenant, at, ids, sources, job.id;
  erased = coalesce(cardinality(removed), 0);
  if erased > 0 then
    perform erase_fields(replace(leaf, 'events_', 'event_fields_'), job.tenant, at, ids, sources);
    perform subtract_deltas(job.id, removed);
    perform note_removals(array[job.tenant]);
    update erasures set counts = add_counts(counts, jsonb_build_object('events', erased))
    where erasures.id = job.id;
  end if;
  return erased;
end
$body$;

-- Deletes the fields of events from the table of a day, which it reads as a whole: no index has them by their event.
create function erase_fields(of_table text, of_tenant text, at timestamptz[], ids text[], sources text[]) returns void
language plpgsql set enable_seqscan = on set enable_nestloop = off as $body$
begin
  if to_regclass(of_table) is not null then
    execute format('
      delete from public.%I as f using unnest($2, $3, $4) as g (at, id, source)
      where f.tenant = $1 and f.received_at = g.at and f.id = g.id and f.source = g.source', of_table
    ) using of_tenant, at, ids, sources;
  end if;
end
$body$;

-- Appends what append_deltas has added for events, with the other sign. The least and the greatest number of a group are
-- corrected when all of its deltas are merged.
create function subtract_deltas(for_erasure text, removed stored_event[]) returns void
language plpgsql as $body$
begin
  insert into rollup_deltas (tenant, minute, parts)
  select
    tenant, minute,
    array_agg(cast(row(type, source, pointer, events, total, null, null, buckets, counts) as rollup_part))
  from (
    select
      tenant, date_bin('1 minute', received_at, '2000-01-01T00:00:00Z') as minute, type, source, '' as pointer,
      -count(*) as events, cast(null as numeric) as total, cast(null as integer[]) as buckets, cast(null as integer[]) as counts
    from unnest(removed) group by 1, 2, 3, 4
    union all
    select
      tenant, minute, type, source, pointer, -sum(number), -sum(total), array_agg(bucket order by bucket),
      array_agg(-number order by bucket)
    from (
      select
        tenant, date_bin('1 minute', received_at, '2000-01-01T00:00:00Z') as minute, type, source, pointer,
        value_bucket(value) as bucket, cast(count(*) as integer) as number, sum(value) as total
      from unnest(removed) as event, unnest(event.numbers)
      group by 1, 2, 3, 4, 5, 6
    ) as by_bucket
    group by 1, 2, 3, 4, 5
  ) as parts
  group by 1, 2;
  insert into erasure_groups (erasure_id, minute, type, source)
  select distinct for_erasure, date_bin('1 minute', received_at, '2000-01-01T00:00:00Z'), type, source from unnest(removed)
  on conflict do nothing;
  update erasures set counts = add_counts(counts, jsonb_build_object('rollups', cardinality(removed))) where id = for_erasure;
end
$body$;

-- Erases some rows of a job, and moves its position. Returns one of these outcomes, and the job:
--   erased          it went on, as far as the time or the number of events allowed
--   held            the hold in `detail` has one of the events: nothing was changed
--   holds_changed   a hold is in force that is not among `hold_ids`: nothing was changed
--   superseded      another step holds the job
-- `condition`, `held`, `texts` and `hold_ids` as in plan_erasure. No hold is made while it works, because it locks their table.
create function erase_rows(
  for_id text, holder text, condition text, held text, texts text[], hold_ids text[], most integer, milliseconds integer
)
returns table (outcome text, detail text, job text)
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set max_parallel_workers_per_gather = 0 set jit = off as $body$
#variable_conflict use_variable
declare
  deadline constant timestamptz = clock_timestamp() + milliseconds * interval '1 millisecond';
  e erasures;
  of_table text;
  candidate record;
  at timestamptz[];
  ids text[];
  sources text[];
  seen integer = 0;
  found_events integer = 0;
  until timestamptz;
  is_at_end boolean;
  key_group record;
begin
  select * into e from erasures where id = for_id and state = 'running' and place = 'rows' and lease_by = holder for update;
  if not found then
    outcome = 'superseded';
    return next;
    return;
  end if;
  lock table holds in share mode;
  if not knows_holds(e.tenant, hold_ids) then
    outcome = 'holds_changed';
    return next;
    return;
  end if;
  if e.selected_by = 'ids' then
    condition = ids_condition('(select * from public.erasure_ids where erasure_id = $3) as i');
  end if;
  until = case e.selected_by when 'ids' then e.keys_until else e.rules_until end;

  begin
  for of_table in
    select each from erasure_tables(e.tenant, e.selected_by) as each where e.at_table is null or each collate "C" >= e.at_table
  loop
    if of_table is distinct from e.at_table then
      e.at_table = of_table;
      e.after_received_at = null;
    end if;
    is_at_end = true;
    if of_table = '0 keys' then
      for key_group in
        execute 'select retention, cast(received_at at time zone ''UTC'' as date) as day, array_agg(received_at) as at,'
          || ' array_agg(id) as ids, array_agg(source) as sources, min(hold_id) as hold_id from ('
          || ' select s.retention, s.received_at, s.id, s.source, ' || held || ' as hold_id'
          || ' from public.erasure_ids as i join public.event_keys as k'
          || ' on k.tenant = $4 and k.id = i.id and (i.source is null or k.source = i.source)'
          || ' cross join lateral (select * from public.events as s where s.tenant = k.tenant and s.retention = k.retention'
          || ' and s.received_at = k.received_at and s.id = k.id and s.source = k.source limit 1) as s'
          || ' cross join lateral (select s.*) as e'
          || ' where i.erasure_id = $3 and k.received_at <= $5 limit $6) as found group by 1, 2 order by 1, 2'
        using texts, hold_ids, for_id, e.tenant, until, most
      loop
        if key_group.hold_id is not null then
          outcome = 'held';
          detail = key_group.hold_id;
          exit;
        end if;
        seen = seen + cardinality(key_group.ids);
        found_events = found_events + erase_from(
          e, '1 ' || case key_group.retention when -1 then 'events_held'
            else day_table('events', key_group.retention, key_group.day) end,
          key_group.at, key_group.ids, key_group.sources
        );
      end loop;
      -- An id may be that of very many sources. The tables are listed once more behind this: one of them may have been on its way out.
      e.at_table = case when seen < most then '1' else of_table end;
      is_at_end = false;
    else
      at = '{}';
      ids = '{}';
      sources = '{}';
      for candidate in
        execute 'select e.received_at, e.id, e.source, (' || condition || ') is true as is_wanted, case when (' || condition
          || ') is true then ' || held || ' end as hold_id from ' || erasure_source(of_table, e.tenant) || ' where e.tenant = $4'
          || ' and e.received_at <= $8'
          || case when e.after_received_at is null then '' else ' and (e.received_at, e.id, e.source) > ($5, $6, $7)' end
          || ' order by e.received_at, e.id, e.source'
        using texts, hold_ids, for_id, e.tenant, e.after_received_at, e.after_id, e.after_source, until
      loop
        seen = seen + 1;
        if candidate.is_wanted then
          if candidate.hold_id is not null then
            outcome = 'held';
            detail = candidate.hold_id;
            exit;
          end if;
          at = at || candidate.received_at;
          ids = ids || candidate.id;
          sources = sources || candidate.source;
        end if;
        e.after_received_at = candidate.received_at;
        e.after_id = candidate.id;
        e.after_source = candidate.source;
        if cardinality(ids) + found_events >= most or seen % 64 = 0 and clock_timestamp() > deadline then
          is_at_end = false;
          exit;
        end if;
      end loop;
      if outcome is null and ids <> '{}' then
        found_events = found_events + erase_from(e, of_table, at, ids, sources);
      end if;
    end if;
    if outcome = 'held' then
      -- Nothing of this call stays.
      raise exception 'a hold has an event' using errcode = 'PE001';
    end if;
    exit when not is_at_end;
  end loop;
  exception when sqlstate 'PE001' then
    return next;
    return;
  end;

  update erasures set
    at_table = case when not is_at_end then e.at_table end,
    after_received_at = case when not is_at_end then e.after_received_at end,
    after_id = case when not is_at_end then e.after_id end, after_source = case when not is_at_end then e.after_source end,
    place = case when is_at_end then 'dead_letters' else 'rows' end, barrier = case when not is_at_end then barrier end, progress_at = clock_timestamp()
  where id = for_id;
  outcome = 'erased';
  job = read_erasure(e.tenant, for_id);
  return next;
end
$body$;

-- Erases dead letters of events that were found, and those that match themselves, at most so many; outcomes as erase_rows. Open and
-- discarded ones count as discarded from then on.
create function erase_dead_letters(
  for_id text, holder text, condition text, held text, texts text[], hold_ids text[], most integer
)
returns table (outcome text, detail text, job text)
language plpgsql as $body$
#variable_conflict use_variable
declare
  e erasures;
  candidate record;
  chosen text[] = '{}';
  pad erasure_key;
  ended arrived_line[];
  erased integer;
begin
  select * into e from erasures where id = for_id and state = 'running' and place = 'dead_letters' and lease_by = holder for update;
  if not found then
    outcome = 'superseded';
    return next;
    return;
  end if;
  lock table holds in share mode;
  if not knows_holds(e.tenant, hold_ids) then
    outcome = 'holds_changed';
    return next;
    return;
  end if;
  if e.selected_by = 'ids' then
    condition = ids_condition('(select * from public.erasure_ids where erasure_id = $3) as i');
  end if;
  for candidate in
    execute 'select d.id, ' || held || ' as hold_id' || dead_letter_source() || 'd.tenant = $4 and d.event_id is not null'
      || ' and coalesce(d.received_at, ''-infinity'') <= $6 and ((d.is_event and (' || condition || ') is true) or (d.event_id, d.source) in ('
      || 'select v.id, v.source from public.erasure_events as v where v.erasure_id = $3)) order by d.id limit $5'
    using texts, hold_ids, for_id, e.tenant, most, case e.selected_by when 'ids' then e.keys_until else e.rules_until end
  loop
    if candidate.hold_id is not null then
      outcome = 'held';
      detail = candidate.hold_id;
      return next;
      return;
    end if;
    chosen = chosen || candidate.id;
  end loop;

  select * into pad from erasure_key;
  delete from replay_edits as r where r.dead_letter_id = any (chosen);
  with taken as (
    delete from dead_letters as d where d.id = any (chosen)
    returning d.tenant, d.event_id, d.source, d.producer, d.sequence, d.state, coalesce(d.received_at, d.created_at) as received_at
  ), hashed as (
    insert into erased_keys (tenant, hash, erasure_id, kind, received_until)
    select distinct e.tenant, erased_hash(pad.inner_pad, pad.outer_pad, 'event', e.tenant, taken.source, taken.event_id), for_id, 'event',
      e.keys_until
    from taken where taken.source is not null
    on conflict (tenant, hash, erasure_id) do update set kind = 'event'
  ), noted as (
    insert into erasure_events (erasure_id, id, source, received_at)
    select distinct for_id, taken.event_id, taken.source, taken.received_at from taken where taken.source is not null
    on conflict do nothing
  )
  select count(*), array_agg(cast(row(taken.tenant, taken.producer, taken.sequence, 'erased') as arrived_line))
    filter (where taken.state in ('open', 'discarded'))
  into erased, ended from taken;
  if ended is not null then
    perform count_discarded(ended);
  end if;
  update erasures set
    counts = add_counts(counts, jsonb_build_object('deadLetters', erased)), progress_at = clock_timestamp(),
    place = case when erased < most then 'objects' else 'dead_letters' end
  where erasures.id = for_id;
  outcome = 'erased';
  job = read_erasure(e.tenant, for_id);
  return next;
end
$body$;

-- Erases deliveries of the events that were found, and those that the request names themselves, with their attempts, at most so many. They
-- count as delivered, or else as skipped, as those that the daily upkeep deletes. The rows of subscriptions are locked as everywhere,
-- so a worker's lease ends with its row.
create function erase_deliveries(for_id text, holder text, most integer)
returns table (outcome text, detail text, job text)
language plpgsql set enable_seqscan = off as $body$
#variable_conflict use_variable
declare
  e erasures;
  chosen text[];
  chosen_events text[];
  erased integer;
  attempts integer;
  orphans integer = 0;
begin
  select * into e from erasures where id = for_id and state = 'running' and place = 'deliveries' and lease_by = holder for update;
  if not found then
    outcome = 'superseded';
    return next;
    return;
  end if;
  chosen = array(
    select distinct of_event.id from (
      select d.id from subscriptions as s, erasure_events as v, deliveries as d
      where s.tenant = e.tenant and v.erasure_id = for_id and d.subscription_id = s.id and d.event_id = v.id
        and d.event_source = v.source and d.event_received_at <= e.keys_until
      union all
      select d.id from subscriptions as s, erasure_ids as i, deliveries as d
      where s.tenant = e.tenant and i.erasure_id = for_id and d.subscription_id = s.id and d.event_id = i.id
        and (i.source is null or d.event_source = i.source) and d.event_received_at <= e.keys_until
      union all
      select d.id from subscriptions as s, deliveries as d
      where e.selected_by = 'subject' and s.tenant = e.tenant and d.subscription_id = s.id
        and d.ordered_by = cast(e.request as json) ->> 'subject' and d.event_received_at <= e.rules_until
    ) as of_event
    limit most
  );
  chosen_events = array(select distinct d.event_id from deliveries as d where d.id = any (chosen));
  perform from subscriptions as s
  where s.id in (select d.subscription_id from deliveries as d where d.id = any (chosen)) order by s.id for update;
  perform end_deliveries(chosen, 'skipped');
  -- The answer to a message with one of them may be about it, and the others of the message have it too. One that is still to come is
  -- not taken: the others are sent again.
  update delivery_attempts as a set response = null from deliveries as d
  where d.batch_id in (select o.batch_id from deliveries as o where o.id = any (chosen) and o.batch_id is not null)
    and a.subscription_id = d.subscription_id and a.event_id = d.event_id and a.delivery_id = d.id and a.response is not null;
  update deliveries as d set leased_by = null, due_at = clock_timestamp()
  where d.batch_id in (select o.batch_id from deliveries as o where o.id = any (chosen) and o.batch_id is not null)
    and d.leased_by is not null;
  with taken as (
    delete from deliveries as d where d.id = any (chosen) returning d.subscription_id, d.state
  ), counted as (
    update subscriptions as s
    set pruned_delivered = s.pruned_delivered + of_one.delivered, pruned_skipped = s.pruned_skipped + of_one.others
    from (
      select taken.subscription_id, count(*) filter (where taken.state = 'delivered') as delivered,
        count(*) filter (where taken.state <> 'delivered') as others
      from taken group by 1
    ) as of_one
    where s.id = of_one.subscription_id
  )
  select count(*) into erased from taken;

  delete from delivery_attempts as a where a.delivery_id = any (chosen)
    and a.subscription_id in (select s.id from subscriptions as s where s.tenant = e.tenant)
    and a.event_id = any (chosen_events);
  get diagnostics attempts = row_count;
  if erased < most then
    -- Attempts also of deliveries that are deleted already, and of subscriptions that are removed.
    perform delete_orphaned_deliveries(most);
    with recursive known (id) as (
      (select a.subscription_id from delivery_attempts as a order by a.subscription_id limit 1)
      union all
      select (
        select a.subscription_id from delivery_attempts as a where a.subscription_id > known.id order by a.subscription_id limit 1
      )
      from known where known.id is not null
    )
    delete from delivery_attempts as a
    using known left join subscriptions as s on s.id = known.id, (
      select v.id from erasure_events as v where v.erasure_id = for_id
      union
      select i.id from erasure_ids as i where i.erasure_id = for_id
    ) as v
    where a.subscription_id = known.id and a.event_id = v.id and (s.id is null or s.tenant = e.tenant)
      and not exists (select from deliveries as d where d.id = a.delivery_id);
    get diagnostics orphans = row_count;
    update subscriptions as s set behind_id = '', behind_source = ''
    where s.tenant = e.tenant
      and (s.behind_id, s.behind_source) in (select v.id, v.source from erasure_events as v where v.erasure_id = for_id);
  end if;
  update erasures set
    counts = add_counts(counts, jsonb_build_object('deliveries', erased, 'attempts', attempts + orphans)), progress_at = clock_timestamp(),
    place = case when erased < most then 'rollups' else 'deliveries' end
  where erasures.id = for_id;
  outcome = 'erased';
  job = read_erasure(e.tenant, for_id);
  return next;
end
$body$;

-- Of events in objects those that are erased: by their place in `candidates`, an array of {id, source, isWanted, heldBy}. It notes their
-- keys first. Outcomes are `matched`, and as in erase_rows.
create function match_erased(for_id text, holder text, candidates jsonb, hold_ids text[])
returns table (outcome text, detail text, places jsonb)
language plpgsql as $body$
#variable_conflict use_variable
declare
  e erasures;
  pad erasure_key;
begin
  select * into e from erasures where id = for_id and state = 'running' and place = 'objects' and lease_by = holder for update;
  if not found then
    outcome = 'superseded';
    return next;
    return;
  end if;
  lock table holds in share mode;
  if not knows_holds(e.tenant, hold_ids) then
    outcome = 'holds_changed';
    return next;
    return;
  end if;
  select * into pad from erasure_key;
  with given as (
    select each.ordinality - 1 as at, each.value ->> 'id' as id, each.value ->> 'source' as source, each.value ->> 'heldBy' as held_by,
      coalesce(cast(each.value ->> 'isWanted' as boolean), false) as is_wanted
    from jsonb_array_elements(candidates) with ordinality as each
  ), erased as (
    select given.* from given
    where given.is_wanted
      or exists (select from erasure_events as v where v.erasure_id = for_id and v.id = given.id and v.source = given.source)
      or exists (
        select from erasure_ids as i
        where i.erasure_id = for_id and i.id = given.id and (i.source is null or i.source = given.source)
      )
  ), hashed as (
    insert into erased_keys (tenant, hash, erasure_id, kind, received_until)
    select distinct e.tenant, erased_hash(pad.inner_pad, pad.outer_pad, 'event', e.tenant, erased.source, erased.id), for_id, 'event',
      e.keys_until
    from erased where not exists (select from erased as other where other.held_by is not null)
    on conflict (tenant, hash, erasure_id) do update set kind = 'event'
  )
  select coalesce(jsonb_agg(erased.at order by erased.at), '[]'), min(erased.held_by) into places, detail from erased;
  update erasures set known_holds = hold_ids where id = for_id and known_holds is distinct from hold_ids;
  outcome = case when detail is null then 'matched' else 'held' end;
  return next;
end
$body$;

-- Notes events of the archive that are erased, as lines of it, and takes those out of the rollups that no table had any more.
create function note_archived_erased(for_id text, holder text, lines text) returns integer
language plpgsql as $body$
declare
  e erasures;
  removed stored_event[];
  noted integer;
begin
  select * into e from erasures where id = for_id and state = 'running' and place = 'objects' and lease_by = holder for update;
  if not found then
    return null;
  end if;
  with given as (
    select distinct on (row ->> 'id', row ->> 'source', row ->> 'received_at') row
    from unnest(string_to_array(lines, chr(10))) as each
      cross join lateral (select archived_row(e.tenant, 0, cast(translate(each, '''"', '"''') as jsonb)) as row) as made
  ), noted as (
    insert into erasure_events as v (erasure_id, id, source, received_at, is_counted)
    select for_id, row ->> 'id', row ->> 'source', cast(row ->> 'received_at' as timestamptz), true from given
    on conflict (erasure_id, id, source, received_at) do update set is_counted = true where not v.is_counted
    returning v.id, v.source, v.received_at
  )
  select count(*), array_agg(cast(row(
    e.tenant, given.row ->> 'type', noted.source, noted.received_at,
    array(
      select cast(row(m.pointer, given.row #> '{data,0}' #> m.path) as measured) from measures as m
      where m.type = given.row ->> 'type' and jsonb_typeof(given.row #> '{data,0}' #> m.path) = 'number'
    )
  ) as stored_event))
  into noted, removed
  from noted join given
    on (given.row ->> 'id', given.row ->> 'source', cast(given.row ->> 'received_at' as timestamptz)) = (noted.id, noted.source, noted.received_at);
  if noted > 0 then
    perform subtract_deltas(for_id, removed);
  end if;
  return noted;
end
$body$;

-- Counts objects, and moves the position among them; without a cursor they are all done.
create function note_erased_objects(for_id text, holder text, added jsonb, next_cursor text) returns text
language sql as $body$
  update erasures as job set
    counts = add_counts(job.counts, added), object_cursor = next_cursor, progress_at = clock_timestamp(),
    place = case when next_cursor is null then 'deliveries' else 'objects' end
  where job.id = for_id and job.state = 'running' and job.place = 'objects' and job.lease_by = holder
  returning erasure_json(job)
$body$;

-- Merges the deltas of the erased minutes, deletes groups that have no event any more, and corrects the least and greatest numbers of
-- those that have, where all events of the day are there to be read. At most so many groups, or ten times as many deltas: the place
-- ends when none is left. One statement after the other under the lock of merges. Each looks its rows up by rollups_pkey (`offset 0` keeps
-- it so), so it takes as long as it has groups, however many rollups and events there are.
create function erase_rollups(for_id text, holder text, most integer) returns text
language plpgsql set enable_seqscan = off set enable_mergejoin = off as $body$
declare
  e erasures;
  chosen erasure_groups[];
  span_of record;
begin
  select * into e from erasures where id = for_id and state = 'running' and place = 'rollups' and lease_by = holder for update;
  if not found then
    return null;
  end if;
  perform pg_advisory_xact_lock(7284562134);
  if exists (select from erasure_groups where erasure_id = for_id) then
    -- As many parts as it may have merged: there may be more.
    if compact_rollups('infinity', most * 10) >= most * 10 then
      update erasures set progress_at = clock_timestamp() where id = for_id;
      return read_erasure(e.tenant, for_id);
    end if;
    with taken as (
      delete from erasure_groups as g
      where g.ctid = any (array(
        select ctid from erasure_groups where erasure_id = for_id order by erasure_id, minute, type, source limit most
      ))
      returning g.*
    )
    select array_agg(cast(row(erasure_id, minute, type, source) as erasure_groups)) into chosen from taken;
    -- Numbers of the events that are left, each minute read once.
    with touched as materialized (
      select g.minute, g.type, g.source from unnest(chosen) as g
      where g.type in (select type from measures) and not exists (
        select from retention_days as d
        where d.day = cast(g.minute at time zone 'UTC' as date) and (d.detached_at is not null or d.was_dropped)
      )
    ), numbers as materialized (
      select at.minute, s.type, s.source, m.pointer, min(cast(s.data #> m.path as numeric)) as low, max(cast(s.data #> m.path as numeric)) as high
      from (select distinct minute from touched) as at
        cross join lateral (
          select * from events
          where tenant = e.tenant and received_at >= at.minute and received_at < at.minute + interval '1 minute' offset 0
        ) as s
        join measures as m on m.type = s.type and jsonb_typeof(s.data #> m.path) = 'number'
      group by 1, 2, 3, 4
    ), found as materialized (
      select r.row_at, numbers.low, numbers.high
      from touched join measures as m using (type) left join numbers using (minute, type, source, pointer)
        cross join lateral (
          select ctid as row_at from rollups as r
          where r.tenant = e.tenant and r.span = 'minute'
            and (r.minute, r.type, r.source, r.pointer) = (touched.minute, type, touched.source, m.pointer)
          offset 0
        ) as r
    )
    update rollups as r set low = found.low, high = found.high from found
    where r.ctid = found.row_at and (r.low, r.high) is distinct from (found.low, found.high);
    with found as materialized (
      select r.row_at
      from (
        select distinct span, date_trunc(span, minute, 'UTC') as minute, type, source
        from unnest(chosen) cross join unnest(array['minute', 'hour', 'day']) as span
      ) as g
        cross join lateral (
          select ctid as row_at from rollups as r
          where r.tenant = e.tenant and (r.span, r.minute, r.type, r.source) = (g.span, g.minute, g.type, g.source) and r.events = 0
          offset 0
        ) as r
    )
    delete from rollups as r using found where r.ctid = found.row_at;
    -- Hours are made of minutes, and days of hours.
    for span_of in
      select * from (values ('hour', 'minute', interval '1 minute', 60), ('day', 'hour', interval '1 hour', 24)) as v (span, finer, step, steps)
    loop
      with groups as materialized (
        select distinct date_trunc(span_of.span, minute, 'UTC') as minute, type, source
        from unnest(chosen) where type in (select type from measures)
      ), found as materialized (
        select coarser.row_at, min(f.low) as low, max(f.high) as high
        from groups
          cross join lateral (
            select ctid as row_at, pointer from rollups as r
            where r.tenant = e.tenant and r.pointer <> ''
              and (r.span, r.minute, r.type, r.source) = (span_of.span, groups.minute, groups.type, groups.source)
            offset 0
          ) as coarser
          cross join generate_series(0, span_of.steps - 1) as n
          cross join lateral (
            select low, high from rollups as r
            where r.tenant = e.tenant
              and (r.span, r.minute, r.type, r.source, r.pointer)
                = (span_of.finer, groups.minute + n * span_of.step, groups.type, groups.source, coarser.pointer)
            offset 0
          ) as f
        group by 1
      )
      update rollups as r set low = found.low, high = found.high from found
      where r.ctid = found.row_at and (r.low, r.high) is distinct from (found.low, found.high);
    end loop;
    perform note_removals(array[e.tenant]);
  end if;
  update erasures set
    place = case when exists (select from erasure_groups where erasure_id = for_id) then 'rollups' else 'end' end,
    progress_at = clock_timestamp()
  where id = for_id;
  return read_erasure(e.tenant, for_id);
end
$body$;

-- Ends a job. What names the erased events goes, of a failed one some days later (drop_suppressions); the hashes stay. A job that failed
-- or did not start keeps no rule for events that it did not find.
create function end_erasure(for_id text, holder text, to_state text, for_reason text, for_detail text) returns text
language plpgsql as $body$
declare
  e erasures;
begin
  select * into e from erasures
  where id = for_id and state in ('waiting', 'running') and lease_by = holder and (to_state = 'failed' or place = 'end') for update;
  if not found then
    return null;
  end if;
  if to_state = 'failed' then
    delete from erased_keys where erasure_id = for_id and kind <> 'event';
    delete from suppressions where erasure_id = for_id;
  end if;
  update erasures set
    state = to_state, reason = for_reason, detail = for_detail, request = null, at_table = null, after_received_at = null, after_id = null,
    after_source = null, object_cursor = null, lease_by = null, lease_until = null, finished_at = clock_timestamp(),
    progress_at = clock_timestamp(), horizon_after = event_horizon(),
    events_sha256 = encode(sha256(coalesce((
      select string_agg(hash, '' order by hash) from erased_keys where erasure_id = for_id and kind = 'event'
    ), '')), 'hex'),
    counts = add_counts(counts, jsonb_build_object('keys', (
      select count(*) from erased_keys where erasure_id = for_id and kind in ('event', 'named')
    )))
  where id = for_id;
  delete from erasure_ids where erasure_id = for_id;
  delete from archive_rewrites where erasure_id = for_id and sha256 is null;
  if to_state <> 'failed' then
    delete from erasure_events where erasure_id = for_id;
    delete from erasure_groups where erasure_id = for_id;
  end if;
  return read_erasure(e.tenant, for_id);
end
$body$;

-- Drops rules of filters behind their end, and what jobs have found that failed 30 days ago. Returns the number of rules.
create function drop_suppressions() returns bigint
language sql as $body$
  delete from erasure_events as v using erasures as f
  where f.id = v.erasure_id and f.state = 'failed' and f.finished_at < clock_timestamp() - interval '30 days';
  delete from erasure_groups as g using erasures as f
  where f.id = g.erasure_id and f.state = 'failed' and f.finished_at < clock_timestamp() - interval '30 days';
  with ended as (delete from suppressions where ends_at < clock_timestamp() returning 1) select count(*) from ended
$body$;
