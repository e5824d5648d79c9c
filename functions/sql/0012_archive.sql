-- Why: the archive of a day before it is dropped, and restores from it.
-- Locks: new tables and functions only.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes. A statement
-- that is built has its text in single quotes.

-- The generations of the archive of a class and day: each has the events of the transactions from `from_number` on and below
-- `horizon`. The first has all that was stored when it was opened, and each later one what was stored since. A step goes on behind
-- the position: the last event of the last part that is counted, or the end of the tenant.
create table archives (
  retention integer not null,
  day date not null,
  generation integer not null,
  from_number bigint not null,
  horizon bigint not null,
  incarnation uuid not null,
  opened_at timestamptz not null default clock_timestamp(),
  progress_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  tenant text collate "C",
  after_received_at timestamptz,
  after_id text collate "C",
  after_source text collate "C",
  -- All of its events are in parts, and its manifest is due.
  is_tenant_read boolean not null default false,
  tenants integer not null default 0,
  rows bigint not null default 0,
  bytes bigint not null default 0,
  text_bytes bigint not null default 0,
  -- Changes with every write: of two steps at once, one writes.
  version integer not null default 1,
  primary key (retention, day, generation)
);

-- The parts of the tenant that is written now: the files that were read back and found equal. Its manifest has them then, and
-- they are deleted here.
create table archive_parts (
  retention integer not null,
  day date not null,
  generation integer not null,
  tenant text collate "C" not null,
  number integer not null,
  part jsonb not null,
  first_number bigint not null,
  last_number bigint not null,
  primary key (retention, day, generation, tenant, number)
);

-- The manifests, with the SHA-256 of their files: a manifest that was written by somebody else is refused by it.
create table archive_manifests (
  tenant text collate "C" not null,
  day date not null,
  retention integer not null,
  generation integer not null,
  sha256 text not null,
  rows bigint not null,
  bytes bigint not null,
  text_bytes bigint not null,
  parts integer not null,
  written_at timestamptz not null default clock_timestamp(),
  primary key (tenant, day, retention, generation)
);

-- Nobody but the owner has a right on them. Row level security without a policy keeps them empty for others if somebody gets one.
alter table archives enable row level security;
alter table archive_parts enable row level security;
alter table archive_manifests enable row level security;

-- A generation as the steps read it.
create function archive_json(a archives) returns text
language sql stable as $body$
  select cast(json_build_object(
    'retention', a.retention, 'day', a.day, 'generation', a.generation, 'horizon', cast(a.horizon as text),
    'incarnation', a.incarnation, 'openedAt', to_char(a.opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'tenant', a.tenant, 'isTenantRead', a.is_tenant_read, 'version', a.version,
    'parts', (
      select count(*) from archive_parts as p
      where (p.retention, p.day, p.generation, p.tenant) = (a.retention, a.day, a.generation, a.tenant)
    ),
    'tenants', a.tenants, 'rows', a.rows, 'bytes', a.bytes, 'textBytes', a.text_bytes,
    'after', case when a.after_received_at is not null
      then json_build_array(cast(a.after_received_at as text), a.after_id, a.after_source) end
  ) as text)
$body$;

-- Returns the generation of a class and day that is to be written now, and opens one where events are in none. Null where all are
-- archived, which it notes for retention. While others store events in the table of the day (`is_detached` false) a generation ends at
-- the horizon, behind which a transaction may still be open; a detached table changes no more, so all of it is in the generation.
create function open_archive(of_retention integer, of_day date, is_detached boolean) returns text
language plpgsql as $body$
declare
  last archives;
  opened archives;
  until_number bigint;
  from_number bigint;
  is_any boolean = false;
  of_table constant text = day_table('events', of_retention, of_day);
begin
  select * into last from archives where retention = of_retention and day = of_day order by generation desc limit 1;
  if last.finished_at is null and last.generation is not null then
    return archive_json(last);
  end if;
  from_number = coalesce(last.horizon, 0);
  if is_detached then
    select cast(cast(pg_snapshot_xmax(pg_current_snapshot()) as text) as bigint) + number_offset into until_number from incarnation;
  else
    until_number = event_horizon();
  end if;
  -- A number below zero is that of a restored event.
  if to_regclass(of_table) is not null then
    execute format(
      'select exists (select from %I where (transaction_number >= $1 or transaction_number <= -$1) and abs(transaction_number) < $2)',
      of_table
    ) into is_any using from_number, until_number;
  end if;
  if not is_any then
    perform note_archived(
      of_retention, of_day, until_number,
      cast((select coalesce(sum(rows), 0) from archives where retention = of_retention and day = of_day) as bigint)
    );
    return null;
  end if;
  insert into archives (retention, day, generation, from_number, horizon, incarnation)
  select of_retention, of_day, coalesce(last.generation, 0) + 1, from_number, until_number, id from incarnation
  on conflict do nothing
  returning * into opened;
  if not found then
    select * into opened from archives where retention = of_retention and day = of_day order by generation desc limit 1;
  end if;
  return archive_json(opened);
end
$body$;

-- Reads lines behind a position of a generation, of one tenant: the one of the position, or the next one where all of that was
-- read. Each line is the JSON of an event as event_json writes it, with `storedat` behind the other members.
--
-- Returns the lines in pieces, which together are their text, and in which single and double quotation marks are exchanged: JSON escapes the double ones, which are
-- every tenth character. The last row has the facts: the tenant, null where there is none any more; rows; the lowest and highest
-- number of a transaction; the position behind the page, null at the end of the tenant.
--
-- Relies on events_by_arrival of the table; a later generation, which has little, on events_by_transaction. A row of the table is no
-- row of `events` once it is detached, so its columns are put together.
create function archive_page(
  of_retention integer, of_day date, of_generation integer, of_tenant text, is_tenant_read boolean,
  after_received_at timestamptz, after_id text, after_source text, max_bytes integer, piece_characters integer
)
returns table (piece text)
language plpgsql
set enable_seqscan = off set max_parallel_workers_per_gather = 0 set jit = off set enable_bitmapscan = on set enable_sort = on
as $body$
declare
  of_table constant text = day_table('events', of_retention, of_day);
  generation archives;
  columns text;
  event record;
  line text;
  size integer;
  bytes bigint = 0;
  rows integer = 0;
  lowest bigint;
  highest bigint;
  kept_at timestamptz;
  kept_id text;
  kept_source text;
  has_more boolean = false;
  row_bytes constant integer = 60000;
begin
  piece = '';
  select * into strict generation from archives
  where retention = of_retention and day = of_day and archives.generation = of_generation;
  select string_agg('e.' || quote_ident(attname), ', ' order by attnum) into columns
  from pg_attribute where attrelid = to_regclass('public.events') and attnum > 0 and not attisdropped;
  if generation.from_number = 0 then
    -- The first one has nearly all rows, in the order of the index.
    perform set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true);
  end if;

  if of_tenant is null or is_tenant_read then
    after_received_at = null;
    execute format(
      'select tenant from %I where ($1 is null or tenant > $1)'
      || ' and (transaction_number >= $2 or transaction_number <= -$2) and abs(transaction_number) < $3 order by tenant limit 1',
      of_table
    ) into of_tenant using of_tenant, generation.from_number, generation.horizon;
  end if;

  if of_tenant is not null then
    for event in
      execute format(
        'select e.received_at, e.id, e.source, e.stored_at, e.transaction_number as number, event_json(cast(row(%s) as events)) as body'
        || ' from %I as e where e.tenant = $1'
        || ' and (e.transaction_number >= $2 or e.transaction_number <= -$2) and abs(e.transaction_number) < $3'
        || case when after_received_at is null then '' else ' and (e.received_at, e.id, e.source) > ($4, $5, $6)' end
        || ' order by e.received_at, e.id, e.source',
        columns, of_table
      )
      using of_tenant, generation.from_number, generation.horizon, after_received_at, after_id, after_source
    loop
      line = left(event.body, -1)
        || ',"storedat":"' || to_char(event.stored_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"}';
      line = translate(line, '"''', '''"');
      size = octet_length(cast(to_json(line) as text));
      has_more = bytes + size > max_bytes and bytes > 0;
      exit when has_more;
      bytes = bytes + size;
      rows = rows + 1;
      -- A row of the answer has as many lines as it may hold, or a piece of a long one: no text is cut that is longer than an event.
      if piece <> '' and octet_length(piece) + octet_length(line) >= row_bytes then
        return next;
        piece = '';
      end if;
      if octet_length(line) < row_bytes then
        piece = piece || line || chr(10);
      else
        for at in 0 .. length(line) / piece_characters loop
          piece = substr(line || chr(10), at * piece_characters + 1, piece_characters);
          return next;
        end loop;
        piece = '';
      end if;
      lowest = least(lowest, event.number);
      highest = greatest(highest, event.number);
      kept_at = event.received_at;
      kept_id = event.id;
      kept_source = event.source;
    end loop;
  end if;

  if piece <> '' then
    return next;
  end if;
  piece = cast(json_build_object(
    'tenant', of_tenant, 'rows', rows, 'first', cast(lowest as text), 'last', cast(highest as text),
    'next', case when has_more then json_build_array(cast(kept_at as text), kept_id, kept_source) end
  ) as text);
  return next;
end
$body$;

-- Counts a part whose file was read back, and moves the position behind it. Without a part the tenant has no more. Null where the
-- generation has another version by now: nothing is written.
create function count_archive_part(
  of_retention integer, of_day date, of_generation integer, of_version integer, of_tenant text, new_part jsonb,
  lowest bigint, highest bigint, next_received_at timestamptz, next_id text, next_source text
)
returns text
language plpgsql as $body$
declare
  changed archives;
begin
  update archives set
    tenant = of_tenant, is_tenant_read = next_received_at is null,
    after_received_at = next_received_at, after_id = next_id, after_source = next_source,
    rows = rows + coalesce(cast(new_part ->> 'rows' as bigint), 0),
    bytes = bytes + coalesce(cast(new_part ->> 'bytes' as bigint), 0),
    text_bytes = text_bytes + coalesce(cast(new_part ->> 'textBytes' as bigint), 0),
    progress_at = clock_timestamp(), version = version + 1
  where retention = of_retention and day = of_day and generation = of_generation and version = of_version
    and finished_at is null
  returning * into changed;
  if not found then
    return null;
  end if;
  if new_part is not null then
    insert into archive_parts (retention, day, generation, tenant, number, part, first_number, last_number)
    select of_retention, of_day, of_generation, of_tenant, count(*) + 1, new_part, lowest, highest
    from archive_parts as p
    where p.retention = of_retention and p.day = of_day and p.generation = of_generation and p.tenant = of_tenant;
  end if;
  return archive_json(changed);
end
$body$;

-- The parts of a tenant behind a number, in pages that the Data API can return.
create function read_archive_parts(
  of_retention integer, of_day date, of_generation integer, of_tenant text, after_number integer, most integer
)
returns table (number integer, part text, first_number text, last_number text)
language sql stable as $body$
  select p.number, cast(p.part as text), cast(p.first_number as text), cast(p.last_number as text)
  from archive_parts as p
  where p.retention = of_retention and p.day = of_day and p.generation = of_generation and p.tenant = of_tenant
    and p.number > after_number
  order by p.number limit most
$body$;

-- Counts a tenant whose manifest was read back. Null as above.
create function finish_archive_tenant(
  of_retention integer, of_day date, of_generation integer, of_version integer, manifest_sha256 text, facts jsonb
)
returns text
language plpgsql as $body$
declare
  changed archives;
begin
  update archives set
    tenants = tenants + 1, progress_at = clock_timestamp(), version = version + 1
  where retention = of_retention and day = of_day and generation = of_generation and version = of_version
    and finished_at is null
  returning * into changed;
  if not found then
    return null;
  end if;
  insert into archive_manifests (tenant, day, retention, generation, sha256, rows, bytes, text_bytes, parts)
  select
    changed.tenant, of_day, of_retention, of_generation, manifest_sha256, cast(facts ->> 'rows' as bigint),
    cast(facts ->> 'bytes' as bigint), cast(facts ->> 'textBytes' as bigint), cast(facts ->> 'parts' as integer);
  delete from archive_parts as p
  where p.retention = of_retention and p.day = of_day and p.generation = of_generation and p.tenant = changed.tenant;
  return archive_json(changed);
end
$body$;

-- Ends a generation. Null as above, and where a part has no manifest yet.
create function finish_archive(of_retention integer, of_day date, of_generation integer, of_version integer) returns text
language plpgsql as $body$
declare
  changed archives;
begin
  update archives set finished_at = clock_timestamp(), progress_at = clock_timestamp(), version = version + 1
  where retention = of_retention and day = of_day and generation = of_generation and version = of_version
    and finished_at is null
    and not exists (
      select from archive_parts as p
      where p.retention = of_retention and p.day = of_day and p.generation = of_generation
    )
    and rows = (
      select coalesce(sum(m.rows), 0) from archive_manifests as m
      where m.retention = of_retention and m.day = of_day and m.generation = of_generation
    )
  returning * into changed;
  return case when found then archive_json(changed) end;
end
$body$;

-- Restores: jobs that bring events of the archive back. `manifests` is what a job reads, an array of [key, SHA-256] in its order;
-- the place is the manifest, the part and the line at which it goes on, each from 0.
create table restores (
  id text primary key,
  tenant text collate "C" not null,
  state text not null default 'running' check (state in ('running', 'done', 'cancelled', 'failed')),
  target text not null check (target in ('live', 'beside')),
  -- The class of restored events; null beside.
  retention smallint,
  request text not null,
  key_id text not null,
  manifests jsonb not null,
  planned bigint not null,
  manifest_at integer not null default 0,
  part_at integer not null default 0,
  line_at integer not null default 0,
  -- Events that were read; of them those that match; and what became of those.
  read bigint not null default 0,
  matched bigint not null default 0,
  restored bigint not null default 0,
  present bigint not null default 0,
  conflicts bigint not null default 0,
  refused bigint not null default 0,
  is_cancelling boolean not null default false,
  lease_by text,
  lease_until timestamptz,
  reason text,
  detail text,
  created_at timestamptz not null default clock_timestamp(),
  progress_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  -- The table of events beside the live ones was dropped.
  dropped_at timestamptz
);
create index restores_of_tenant on restores (tenant, id);
alter table restores enable row level security;

create function restore_json(job restores, is_whole boolean default true) returns text
language sql stable as $body$
  select cast(json_build_object(
    'id', job.id, 'tenant', job.tenant, 'state', job.state, 'into', job.target, 'retention', job.retention,
    'request', case when is_whole then cast(job.request as json) else json_build_object() end,
    'manifests', case when is_whole then cast(job.manifests as json) else json_build_array() end,
    'keyId', job.key_id, 'planned', job.planned, 'manifestAt', job.manifest_at, 'partAt', job.part_at, 'lineAt', job.line_at,
    'read', job.read, 'matched', job.matched, 'restored', job.restored, 'present', job.present, 'conflicts', job.conflicts,
    'refused', job.refused, 'isCancelling', job.is_cancelling, 'reason', job.reason, 'detail', job.detail,
    'createdAt', replay_time(job.created_at), 'progressAt', replay_time(job.progress_at),
    'finishedAt', replay_time(job.finished_at), 'droppedAt', replay_time(job.dropped_at)
  ) as text)
$body$;

-- The table of the events of a restore beside the live ones.
create function restore_table(for_id text) returns text
language sql immutable as $body$ select 'restored_' || right(for_id, 32) $body$;

-- Writes a job that begins, and makes its table where it has one. Done again with the same id, it changes nothing.
create function start_restore(
  for_id text, for_tenant text, for_target text, for_retention smallint, for_request text, for_key text,
  of_manifests jsonb, to_do bigint
)
returns text
language plpgsql as $body$
declare
  job restores;
begin
  insert into restores (id, tenant, target, retention, request, key_id, manifests, planned)
  values (for_id, for_tenant, for_target, for_retention, for_request, for_key, of_manifests, to_do)
  on conflict (id) do nothing returning * into job;
  if job.id is null then
    select * into job from restores where id = for_id;
  elsif for_target = 'beside' then
    execute format(
      'create table public.%I (received_at timestamptz not null, id text collate "C" not null, source text collate "C" not null,'
      || ' event text not null, primary key (received_at, id, source))', restore_table(for_id)
    );
    execute format('alter table public.%I enable row level security', restore_table(for_id));
  end if;
  return restore_json(job);
end
$body$;

create function read_restore(for_tenant text, for_id text) returns text
language sql stable as $body$
  select restore_json(job) from restores as job where job.id = for_id and job.tenant = for_tenant
$body$;

-- The jobs before one, latest first, a row each. Relies on restores_of_tenant.
create function list_restores(for_tenant text, before_id text, most integer) returns table (job text)
language sql stable as $body$
  select restore_json(job, false) from restores as job
  where job.tenant = for_tenant and (before_id is null or job.id < before_id)
  order by job.id desc limit most
$body$;

create function count_unfinished_restores(for_tenant text) returns bigint
language sql stable as $body$
  select count(*) from restores where tenant = for_tenant and state = 'running'
$body$;

-- Asks a running job to end; the step that works on it, or the next one, ends it.
create function cancel_restore(for_tenant text, for_id text) returns text
language plpgsql as $body$
begin
  update restores set is_cancelling = true
  where id = for_id and tenant = for_tenant and state = 'running' and not is_cancelling;
  return read_restore(for_tenant, for_id);
end
$body$;

-- Gives a running job to a step, unless another one has it; as hold_replay does.
create function hold_restore(for_id text, holder text, for_seconds integer)
returns table (outcome text, seconds integer, job text)
language plpgsql as $body$
declare
  found_job restores;
begin
  update restores set lease_by = holder, lease_until = clock_timestamp() + for_seconds * interval '1 second'
  where id = for_id and state = 'running' and (lease_until is null or lease_until <= clock_timestamp())
  returning * into found_job;
  if found then
    return query select 'held', 0, restore_json(found_job);
    return;
  end if;
  select * into found_job from restores where id = for_id;
  return query select
    case when found_job.id is null then 'absent' when found_job.state <> 'running' then 'over' else 'leased' end,
    cast(ceil(greatest(extract(epoch from found_job.lease_until - clock_timestamp()), 0)) as integer),
    case when found_job.id is null then null else restore_json(found_job) end;
end
$body$;

create function release_restore(for_id text, holder text) returns setof text
language sql as $body$
  update restores set lease_until = null, lease_by = null where id = for_id and lease_by = holder returning id
$body$;

create function end_restore(for_id text, holder text, to_state text, why text, why_detail text) returns text
language sql as $body$
  update restores as job set
    state = to_state, reason = why, detail = why_detail, finished_at = clock_timestamp(), lease_by = null, lease_until = null
  where job.id = for_id and job.state = 'running' and job.lease_by = holder
  returning restore_json(job)
$body$;

-- The row of a line of the archive, as store_batch takes it, with the time at which the event was stored first.
create function archived_row(for_tenant text, of_class integer, line jsonb) returns jsonb
language sql immutable as $body$
  select jsonb_strip_nulls(jsonb_build_object(
    'tenant', for_tenant, 'id', line -> 'id', 'source', line -> 'source', 'type', line -> 'type', 'subject', line -> 'subject',
    -- A leap second is the instant after it. PostgreSQL reads it so, but refuses a fraction that it rounds up.
    'time', regexp_replace(line ->> 'time', '(.{17}60)[.][0-9]+', concat(chr(92), '1')),
    'time_sent', case when line ->> 'time' !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T.{6}[0-5][0-9][.][0-9]{3}Z$' then line -> 'time' end,
    'received_at', line -> 'receivedat', 'stored_at', line -> 'storedat', 'class', of_class, 'dataschema', line -> 'dataschema',
    'datacontenttype', line -> 'datacontenttype', 'data_base64', line -> 'data_base64',
    'extensions', nullif(line - array[
      'specversion', 'id', 'source', 'type', 'subject', 'time', 'dataschema', 'datacontenttype', 'tenant', 'receivedat',
      'storedat', 'data', 'data_base64'
    ], '{}')
  )) || case when line ? 'data' then jsonb_build_object('data', jsonb_build_array(line -> 'data')) else '{}' end
$body$;

-- Inserts archived events, all or none, through the table of keys as insert_new_events does, with which it has one form of a batch.
-- A restored event is no new one: followers of the feed and subscriptions had it, and the rollups and the ledger have counted it. So
-- its row has the number of its transaction below zero, which no follower reads, and no rollup and no ledger is changed. The state
-- of the tenant's lists changes.
create function insert_restored_events(batch jsonb, out events integer, out places integer[])
language plpgsql set plan_cache_mode = force_generic_plan as $body$
#variable_conflict use_column
declare
  indexed_types text[] = array(select distinct type from indexed_fields);
  this_number constant bigint =
    cast(cast(pg_current_xact_id() as text) as bigint) + (select number_offset from incarnation);
begin
  with given as (
    select distinct on (tenant, id, source) *, class as retention
    from rows from (
      jsonb_to_recordset(batch) as (
        tenant text collate "C", id text collate "C", source text collate "C", type text, subject text, time timestamptz,
        time_sent text, received_at timestamptz, stored_at timestamptz, class smallint, dataschema text, datacontenttype text,
        extensions jsonb, data jsonb, data_base64 text
      )
    ) with ordinality
    order by tenant, id, source, ordinality
  ),
  fresh as (
    insert into event_keys (tenant, id, source, received_at, retention)
    select tenant, id, source, received_at, retention from given order by tenant, id, source
    on conflict do nothing
    returning tenant, id, source
  ),
  stored as (
    insert into events (
      tenant, id, source, type, subject, time, time_sent, received_at, stored_at, transaction_number, retention, dataschema,
      datacontenttype, extensions, data, data_base64
    )
    select
      tenant, id, source, type, subject, time, time_sent, received_at, stored_at, -this_number, retention, dataschema,
      datacontenttype, extensions, data -> 0, data_base64
    from fresh join given using (tenant, id, source)
    returning tenant, type, source, received_at, retention, id,
      case when type = any (indexed_types) then data end as indexed_data
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
  )
  select
    (select count(*) from stored),
    (select array_agg(cast(ordinality as integer) - 1) from given join fresh using (tenant, id, source))
  into insert_restored_events.events, insert_restored_events.places;
end
$body$;

-- Stores lines of the archive for the step that holds the job, counts them, and moves the place. `lines` have single and double
-- quotation marks exchanged, as those of archive_page. Null where another step holds the job; where somebody has asked the job to
-- end, nothing is stored. `refused` events of the chunk were left out by the caller, because the database refuses them. The job
-- that it returns has neither its request nor its manifests.
create function restore_events(
  for_id text, holder text, lines text, manifest integer, part integer, line integer, read_events bigint, refused_events bigint,
  fault text
)
returns text
language plpgsql as $body$
declare
  job restores;
  batch jsonb;
  inserted record;
  given integer = 0;
  new_events integer = 0;
  differing integer = 0;
begin
  select * into job from restores where id = for_id and state = 'running' and lease_by = holder for update;
  if not found then
    return null;
  end if;
  if job.is_cancelling then
    return restore_json(job, false);
  end if;
  lines = lines_without_erased(job.tenant, lines);
  if lines <> '' then
    select jsonb_agg(archived_row(job.tenant, job.retention, cast(translate(each, '''"', '"''') as jsonb)) order by number)
    into batch
    from unnest(string_to_array(lines, chr(10))) with ordinality as text (each, number);
    given = jsonb_array_length(batch);
    if job.target = 'live' then
      inserted = insert_restored_events(batch);
      new_events = inserted.events;
      perform note_removals(array[job.tenant]);
      if new_events < given then
        select count(*) into differing
        from find_conflicts(batch) as place where place <> all (coalesce(inserted.places, '{}'));
      end if;
    else
      execute format(
        'with given as (select cast(translate(each, ''"'''''', ''''''"'') as jsonb) as line, translate(each, ''"'''''', ''''''"'') as event'
        || ' from unnest(string_to_array($1, chr(10))) as each), added as ('
        || 'insert into %I (received_at, id, source, event)'
        || ' select cast(line ->> ''receivedat'' as timestamptz), line ->> ''id'', line ->> ''source'', event from given'
        || ' on conflict do nothing returning 1) select count(*) from added', restore_table(for_id)
      ) into new_events using lines;
    end if;
  end if;
  update restores set
    manifest_at = manifest, part_at = part, line_at = line,
    read = restores.read + read_events, matched = matched + given + refused_events, restored = restored + new_events,
    present = present + given - new_events - differing, conflicts = conflicts + differing,
    refused = refused + refused_events, detail = coalesce(fault, detail), progress_at = clock_timestamp()
  where id = for_id
  returning * into job;
  return restore_json(job, false);
end
$body$;

-- Events of a restore beside the live ones, behind one of them, in the order of their receipt: a row for each piece, with the
-- number of the event from 0, and a last row with the number -1 and the key of the last event where more follow. No row where the
-- tenant has no such table.
create function read_restored_events(
  for_tenant text, for_id text, after_received_at timestamptz, after_id text, after_source text, most integer,
  max_bytes integer, piece_characters integer
)
returns table (number integer, piece text)
language plpgsql as $body$
declare
  found_event record;
  bytes bigint = 0;
  has_more boolean = false;
  last_at timestamptz;
  last_id text;
  last_source text;
begin
  if not exists (
    select from restores
    where id = for_id and tenant = for_tenant and target = 'beside' and dropped_at is null
  ) then
    return;
  end if;
  number = 0;
  for found_event in
    execute format(
      'select received_at, id, source, event from %I'
      || case when after_id is null then '' else ' where (received_at, id, source) > ($1, $2, $3)' end
      || ' order by received_at, id, source limit $4', restore_table(for_id)
    ) using after_received_at, after_id, after_source, most + 1
  loop
    bytes = bytes + octet_length(cast(to_json(found_event.event) as text)) + 64;
    has_more = number = most or bytes > max_bytes and number > 0;
    exit when has_more;
    return query
    select read_restored_events.number, substr(found_event.event, at * piece_characters + 1, piece_characters)
    from generate_series(0, (length(found_event.event) - 1) / piece_characters) as at order by at;
    number = number + 1;
    last_at = found_event.received_at;
    last_id = found_event.id;
    last_source = found_event.source;
  end loop;
  number = -1;
  piece = case when has_more then cast(json_build_array(cast(last_at as text), last_id, last_source) as text) else '' end;
  return next;
end
$body$;

-- Drops tables of restores that ended before a time, and returns their number.
create function drop_restored(before timestamptz, most integer) returns integer
language plpgsql as $body$
declare
  ended text;
  dropped integer = 0;
begin
  for ended in
    select id from restores
    where target = 'beside' and dropped_at is null and finished_at < before
    order by id limit most for update skip locked
  loop
    execute format('drop table if exists %I', restore_table(ended));
    update restores set dropped_at = clock_timestamp() where id = ended;
    dropped = dropped + 1;
  end loop;
  return dropped;
end
$body$;
