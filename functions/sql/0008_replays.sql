-- Why: replays and discards of dead letters as jobs. Their steps call these functions as the writer.
-- Locks: dead_letters, dead_letter_replays and replays against writes for as long as the indexes are built; they are new.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes.
--
-- Each function runs as the owner, because the writer has no right on a table. Each has the tenant of the job and the types
-- and sources of its key in its predicate; '*' is the installation, which has every dead letter.

-- What a job took and has not sent, and what became of what it sent.
create index dead_letter_replays_unsent on dead_letter_replays (replay_id, dead_letter_id)
  where sent_at is null and outcome is null;
create index dead_letter_replays_by_outcome on dead_letter_replays (replay_id, outcome);

create index replays_of_tenant on replays (tenant, id);

-- Cuts a text into rows that the Data API can return.
create function cut_text(whole text) returns table (piece text)
language sql immutable set search_path = pg_catalog, public, pg_temp as $body$
  select substr(whole, 15000 * part + 1, 15000) from generate_series(0, (length(whole) - 1) / 15000) as part order by part
$body$;
grant execute on function cut_text to sluice_writer;

-- Without settings of its own, so that it becomes a part of the statement that calls it.
create function replay_time(instant timestamptz) returns text
language sql stable as $body$
  select to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$body$;

-- Tells whether a condition has nothing but the words that functions/core/filter/to-sql.ts writes, with balanced brackets. The
-- condition becomes a part of a statement of the owner, and the writer is not the owner. is-bound-sql.ts has the same words.
create function is_bound_condition(condition text) returns boolean
language plpgsql immutable strict set search_path = pg_catalog, public, pg_temp as $body$
declare
  brackets text = regexp_replace(condition, '[^()]', '', 'g');
  fewer text;
begin
  loop
    fewer = replace(brackets, '()', '');
    exit when fewer = brackets;
    brackets = fewer;
  end loop;
  return brackets = '' and condition ~ ('^([(][$]1[)][[][1-9][0-9]{0,4}[]]|('
    || 'e[.](id|source|type|subject|time_sent|time|dataschema|datacontenttype|extensions|data)'
    || '|[os][.]v|[tp][.]m|[os] [(]v[)]|[tp] [(]m[)]'
    || '|select|from|where|as|exists|cross|join|lateral|values|and|or|not|is|true|false|case|when|then|else|end|[012]'
    || '|cast|jsonb|numeric|inet|timestamptz|collate "C"|like|count[(][*][)]|bool_or|min|max|coalesce|starts_with'
    || '|filter_(scalars|objects|text|number|address|fold_case|ends_with|extension|time)'
    || ')(?![a-zA-Z0-9_.$"[])|->|<<=|<=|>=|=|<|>|[(]|[)]|,| )+$');
end
$body$;

-- The texts of a member of a selection; null where it has none.
create function selected_texts(selection jsonb, member text) returns text[]
language sql immutable set search_path = pg_catalog, public, pg_temp as $body$
  select case when selection -> member is not null then array(select jsonb_array_elements_text(selection -> member)) end
$body$;

-- The conditions on the columns of a dead letter `d`, for the statements below. Every value is a literal.
create function dead_letter_bounds(for_tenant text, selection jsonb, opened_until timestamptz) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $body$
  select format('d.state = ''open'' and d.opened_at <= %L', opened_until)
    || case when for_tenant = '*' then '' else format(' and d.tenant = %L', for_tenant) end
    || case when selection -> 'ids' is null then '' else format(' and d.id = any (%L)', selected_texts(selection, 'ids')) end
    || case when selection #>> '{opened,from}' is null then '' else format(' and d.opened_at >= %L', selection #>> '{opened,from}') end
    || case when selection #>> '{opened,to}' is null then '' else format(' and d.opened_at < %L', selection #>> '{opened,to}') end
$body$;

-- The other conditions, which no index serves; true or false. `condition` is an expression over the row `e`, which has a
-- dead letter's event as the table of events would have it.
create function dead_letter_test(
  allowed_types text[], allowed_sources text[], selection jsonb, condition text
) returns text
language plpgsql stable set search_path = pg_catalog, public, pg_temp as $body$
begin
  if not coalesce(is_bound_condition(condition), true) then
    raise exception 'the condition is not one of a filter' using errcode = '42601';
  end if;
  return 'case when true'
    || case when allowed_types is null then '' else ' and ' || list_allows('d.type', format('cast(%L as text[])', allowed_types)) end
    || case when allowed_sources is null then '' else ' and ' || list_allows('d.source', format('cast(%L as text[])', allowed_sources)) end
    || case when selection -> 'reasons' is null then '' else format(' and d.reason = any (%L)', selected_texts(selection, 'reasons')) end
    || case when selection -> 'sqlStates' is null then '' else format(' and d.sql_state = any (%L)', selected_texts(selection, 'sqlStates')) end
    || case when selection -> 'messageGroups' is null then '' else format(' and d.message_group = any (%L)', selected_texts(selection, 'messageGroups')) end
    || case when selection -> 'maxReplays' is null then '' else format(' and d.replays < %L', selection ->> 'maxReplays') end
    || coalesce(' and d.is_event and (' || condition || ')', '')
    || ' then true else false end';
end
$body$;

-- The rows of those statements.
create function dead_letter_source() returns text
language sql immutable as $body$
  select ' from public.dead_letters as d cross join lateral (select d.event_id as id, d.source, d.type, d.subject, d.time,'
    || ' d.time_sent, d.dataschema, d.datacontenttype, d.extensions, d.data) as e where '
$body$;

-- Counts the open dead letters of a selection, and shows the oldest. The first row has the number, and the time before which all of
-- them became open.
create function plan_replay(
  for_tenant text, allowed_types text[], allowed_sources text[], selection jsonb,
  condition text, condition_texts text[], samples integer
)
returns table (planned bigint, dead_letter text, until text)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  now_is constant timestamptz = clock_timestamp();
  matching constant text = dead_letter_source() || dead_letter_bounds(for_tenant, selection, now_is)
    || ' and ' || dead_letter_test(allowed_types, allowed_sources, selection, condition);
begin
  execute 'select count(*), to_char(coalesce(max(d.opened_at) + interval ''1 microsecond'', $2) at time zone ''UTC'','
    || ' ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'')' || matching
    into planned, until using condition_texts, now_is;
  return next;
  planned = null;
  until = null;
  for dead_letter in
    execute 'select public.dead_letter_json(d) || ''}''' || matching || ' order by d.opened_at, d.id limit $2'
    using condition_texts, samples
  loop
    return next;
  end loop;
end
$body$;
grant execute on function plan_replay to sluice_writer;

-- A member of an envelope before its events, if it is a traceparent. A text in the envelope cannot look like one, because its
-- quotation marks are escaped.
create function envelope_trace(body text, member text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $body$
  select substring(split_part(left(body, 2000), '"events":[', 1) from '"' || member || '":"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"')
$body$;

-- The open dead letters among some that the caller sees, for edits; a row each.
create function find_editable(for_tenant text, allowed_types text[], allowed_sources text[], ids text[])
returns table (dead_letter text)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
begin
  return query execute
    'select cast(json_build_object(''id'', d.id, ''tenant'', d.tenant, ''source'', d.source, ''eventId'', d.event_id,'
    || ' ''receivedAt'', public.replay_time(d.received_at), ''isEvent'', d.is_event, ''origin'','
    || ' case when d.producer is not null then json_build_object(''producer'', d.producer, ''sequence'', d.sequence) end,'
    || ' ''traceparent'', public.envelope_trace(d.body, ''traceparent''),'
    || ' ''eventTraceparent'', public.envelope_trace(d.body, ''eventTraceparent'')) as text)'
    || dead_letter_source()
    || dead_letter_bounds(for_tenant, jsonb_build_object('ids', ids), clock_timestamp())
    || ' and ' || dead_letter_test(allowed_types, allowed_sources, '{}', null);
end
$body$;
grant execute on function find_editable to sluice_writer;

-- The starts of jobs, by the hash of their idempotency key: a request that is sent again finds the job that it has started.
create table job_starts (
  tenant text collate "C" not null,
  id text collate "C" not null,
  job text not null,
  -- The hash of the request.
  request text not null,
  started_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
);
alter table job_starts enable row level security;
create index job_starts_by_time on job_starts (started_at);

-- Keeps a start, unless there is one that is younger than so many hours, and returns the one that is kept. Deletes some older ones.
create function keep_job_start(for_tenant text, for_id text, for_job text, for_request text, hours integer)
returns table (job text, request text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
#variable_conflict use_column
declare
  ended constant timestamptz = clock_timestamp() - hours * interval '1 hour';
begin
  delete from job_starts as s using (
    select tenant, id from job_starts where started_at <= ended order by started_at limit 100 for update skip locked
  ) as old where (s.tenant, s.id) = (old.tenant, old.id);
  return query
    insert into job_starts as s (tenant, id, job, request) values (for_tenant, for_id, for_job, for_request)
    on conflict (tenant, id) do update set
      job = case when s.started_at <= ended then excluded.job else s.job end,
      request = case when s.started_at <= ended then excluded.request else s.request end,
      started_at = case when s.started_at <= ended then excluded.started_at else s.started_at end
    returning s.job, s.request;
end
$body$;
grant execute on function keep_job_start to sluice_writer;

create function forget_job_start(for_tenant text, for_id text, for_job text) returns setof text
language sql security definer set search_path = pg_catalog, public, pg_temp as $body$
  delete from job_starts where tenant = for_tenant and id = for_id and job = for_job returning id
$body$;
grant execute on function forget_job_start to sluice_writer;

-- A job as JSON.
create function replay_json(job replays, has_request boolean default true) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $body$
  select cast(json_build_object(
    'id', job.id, 'action', job.action, 'tenant', job.tenant, 'state', job.state,
    'request', case when has_request then cast(job.request as json) else json_build_object() end,
    'keyId', job.key_id, 'types', job.types, 'sources', job.sources, 'planned', job.planned, 'taken', job.taken,
    'sent', job.sent, 'stored', job.stored, 'deadLettered', job.dead_lettered, 'isCancelling', job.is_cancelling,
    'reason', job.reason, 'detail', job.detail, 'createdAt', replay_time(job.created_at),
    'progressAt', replay_time(job.progress_at), 'finishedAt', replay_time(job.finished_at)
  ) as text)
$body$;

-- Writes a job that begins, with its edits, an array of [dead letter, body]. Its set is fixed by created_at.
create function start_replay(
  for_id text, for_action text, for_tenant text, for_request text, for_key text, for_types text[], for_sources text[],
  to_do integer, edits jsonb
)
returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  job replays;
begin
  insert into replays (id, action, tenant, request, key_id, types, sources, planned)
  values (for_id, for_action, for_tenant, for_request, for_key, for_types, for_sources, to_do)
  on conflict (id) do nothing returning * into job;
  if job.id is not null then
    insert into replay_edits (replay_id, dead_letter_id, body)
    select for_id, edit ->> 0, edit ->> 1 from jsonb_array_elements(edits) as edit;
  else
    select * into job from replays where id = for_id;
  end if;
  return replay_json(job);
end
$body$;
grant execute on function start_replay to sluice_writer;

create function read_replay(for_tenant text, for_id text) returns text
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select replay_json(job) from replays as job where job.id = for_id and for_tenant in (job.tenant, '*')
$body$;
grant execute on function read_replay to sluice_writer;

-- The jobs before one, latest first, a row each. Relies on replays_of_tenant.
create function list_replays(for_tenant text, before_id text, most integer) returns table (job text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select replay_json(job, false) from replays as job
  where (for_tenant = '*' or job.tenant = for_tenant) and (before_id is null or job.id < before_id)
  order by job.id desc limit most
$body$;
grant execute on function list_replays to sluice_writer;

create function count_unfinished_replays(for_tenant text) returns bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select count(*) from replays where tenant = for_tenant and state = 'running'
$body$;
grant execute on function count_unfinished_replays to sluice_writer;

-- Asks a running job to end; the step that works on it, or the next one, ends it.
create function cancel_replay(for_tenant text, for_id text) returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
begin
  update replays set is_cancelling = true
  where id = for_id and for_tenant in (tenant, '*') and state = 'running' and not is_cancelling;
  return read_replay(for_tenant, for_id);
end
$body$;
grant execute on function cancel_replay to sluice_writer;

-- Gives a running job to a step, unless another one has it. Returns held, over, absent or leased, the rest of the lease in
-- seconds, and the job.
create function hold_replay(for_id text, holder text, for_seconds integer)
returns table (outcome text, seconds integer, job text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  found_job replays;
begin
  update replays set lease_by = holder, lease_until = clock_timestamp() + for_seconds * interval '1 second'
  where id = for_id and state = 'running' and (lease_until is null or lease_until <= clock_timestamp())
  returning * into found_job;
  if found then
    return query select 'held', 0, replay_json(found_job);
    return;
  end if;
  select * into found_job from replays where id = for_id;
  return query select
    case when found_job.id is null then 'absent' when found_job.state <> 'running' then 'over' else 'leased' end,
    cast(ceil(greatest(extract(epoch from found_job.lease_until - clock_timestamp()), 0)) as integer),
    case when found_job.id is null then null else replay_json(found_job) end;
end
$body$;
grant execute on function hold_replay to sluice_writer;

create function release_replay(for_id text, holder text) returns setof text
language sql security definer set search_path = pg_catalog, public, pg_temp as $body$
  update replays set lease_until = null, lease_by = null where id = for_id and lease_by = holder returning id
$body$;
grant execute on function release_replay to sluice_writer;

-- Takes the next open dead letters of a job's set, in the order of opened_at and id: they become replayed or discarded, their
-- edits are applied, and the job goes on behind them. It looks at the clock, so that a selection that matches nothing ends on
-- time as well: then the job goes on behind the last row that it saw.
--
-- A row that another job is taking is waited for: that one may be rolled back, and this job comes by only once. Both lock
-- their rows in the same order.
--
-- Returns the number of rows, and whether there are no more; nulls where the job is to end, and no row where another step
-- holds it. Relies on dead_letters_of_tenant and dead_letters_of_all.
create function take_dead_letters(
  for_id text, holder text, condition text, condition_texts text[], most integer, most_bytes integer, milliseconds integer
)
returns table (taken integer, is_at_end boolean)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set jit = off
as $body$
declare
  clock_every constant integer = 64;
  deadline constant timestamptz = clock_timestamp() + milliseconds * interval '1 millisecond';
  job replays;
  selection jsonb;
  ids text[] = '{}';
  bytes bigint = 0;
  seen integer = 0;
  candidate record;
begin
  select * into job from replays where id = for_id and state = 'running' and lease_by = holder for update;
  if not found then
    return;
  end if;
  if job.is_cancelling then
    return next;
    return;
  end if;
  selection = cast(job.request as jsonb);
  most = least(most, cast(selection ->> 'limit' as integer) - job.taken);
  is_at_end = true;
  if most > 0 then
    -- The order of the index, without a sort of all rows. Some ids are found by the primary key instead.
    if selection -> 'ids' is null then
      perform set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
        set_config('enable_sort', 'off', true), set_config('max_parallel_workers_per_gather', '0', true);
    end if;
    for candidate in
      execute 'select d.opened_at, d.id, octet_length(d.body) as size, '
        || dead_letter_test(job.types, job.sources, selection, condition) || ' as is_wanted'
        || dead_letter_source() || dead_letter_bounds(job.tenant, selection, job.created_at)
        || case when job.after_id is null then ''
             else format(' and (d.opened_at, d.id) > (%L, %L)', job.after_opened_at, job.after_id) end
        || ' order by d.opened_at, d.id'
      using condition_texts
    loop
      seen = seen + 1;
      if candidate.is_wanted then
        if ids <> '{}' and bytes + candidate.size > most_bytes then
          is_at_end = false;
          exit;
        end if;
        ids = ids || candidate.id;
        bytes = bytes + candidate.size;
      end if;
      job.after_opened_at = candidate.opened_at;
      job.after_id = candidate.id;
      if cardinality(ids) = most or seen % clock_every = 0 and clock_timestamp() > deadline then
        is_at_end = false;
        exit;
      end if;
    end loop;
  end if;

  with locked as (
    select d.id from dead_letters as d
    where d.id = any (ids) and d.state = 'open' and d.opened_at <= job.created_at
    order by d.opened_at, d.id for update
  ), changed as (
    update dead_letters as d
    set state = case job.action when 'discard' then 'discarded' else 'replayed' end,
      replays = d.replays + case job.action when 'discard' then 0 else 1 end,
      closed_at = clock_timestamp(), replay_id = for_id
    from locked where d.id = locked.id
    returning d.id, d.replays
  ), noted as (
    insert into dead_letter_replays (dead_letter_id, number, replay_id, sent_at)
    select changed.id, case job.action when 'discard' then 0 else changed.replays end, for_id,
      case job.action when 'discard' then clock_timestamp() end
    from changed
    returning dead_letter_id
  )
  select count(*) into taken from noted;
  is_at_end = is_at_end or coalesce(cast(selection ->> 'limit' as integer) <= job.taken + taken, false);
  perform apply_edit(d.id, edit.body) from replay_edits as edit join dead_letters as d on d.id = edit.dead_letter_id
  where edit.replay_id = for_id and edit.dead_letter_id = any (ids) and d.replay_id = for_id;

  update replays as job_now
  set after_opened_at = job.after_opened_at, after_id = job.after_id, taken = job_now.taken + take_dead_letters.taken,
    sent = job_now.sent + case job.action when 'discard' then take_dead_letters.taken else 0 end,
    progress_at = clock_timestamp()
  where id = for_id;
  return next;
end
$body$;
grant execute on function take_dead_letters to sluice_writer;

-- Puts a corrected event in the place of a dead letter's. Ingest's checks passed it, so PostgreSQL can hold it.
create function apply_edit(for_id text, new_body text) returns void
language sql set search_path = pg_catalog, public, pg_temp as $body$
  update dead_letters set body = new_body, edited_from = coalesce(edited_from, md5(body)), type = event ->> 'type', subject = event ->> 'subject',
    time = case when pg_input_is_valid(event ->> 'time', 'timestamptz') then cast(event ->> 'time' as timestamptz) end,
    time_sent = event ->> 'time', dataschema = event ->> 'dataschema', datacontenttype = event ->> 'datacontenttype',
    extensions = event -> 'extensions', data = event -> 'data'
  from (select cast(new_body as jsonb) #> '{events,0}') as edit (event)
  where id = for_id
$body$;

-- Returns the dead letters that a job took and has not marked, from a place on: their bodies in pieces, as many as one result
-- holds. Where the last of them is not whole, the next call goes on behind its characters. Relies on
-- dead_letter_replays_unsent.
create function read_unsent(for_id text, from_id text, from_characters integer, most_bytes integer)
returns table (dead_letter_id text, number integer, tenant text, is_last boolean, piece text)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  piece_characters constant integer = 15000;
  row_bytes constant integer = 256;
  bytes bigint = 0;
  body text;
  place integer;
begin
  for dead_letter_id, number, tenant, body in
    select r.dead_letter_id, r.number, d.tenant, d.body
    from dead_letter_replays as r join dead_letters as d on d.id = r.dead_letter_id
    where r.replay_id = for_id and r.sent_at is null and r.outcome is null
      and (from_id is null or r.dead_letter_id >= from_id)
    order by r.dead_letter_id
  loop
    place = case when dead_letter_id = from_id then from_characters else 0 end;
    while place < length(body) loop
      piece = substr(body, place + 1, piece_characters);
      bytes = bytes + row_bytes + octet_length(cast(to_json(piece) as text));
      if bytes > most_bytes then
        return;
      end if;
      place = place + piece_characters;
      is_last = place >= length(body);
      return next;
    end loop;
  end loop;
end
$body$;
grant execute on function read_unsent to sluice_writer;

-- Writes that dead letters were sent, and returns how many of the job are. Done again, it changes nothing.
create function mark_sent(for_id text, ids text[]) returns integer
language sql security definer set search_path = pg_catalog, public, pg_temp as $body$
  with marked as (
    update dead_letter_replays set sent_at = clock_timestamp()
    where replay_id = for_id and dead_letter_id = any (ids) and sent_at is null
    returning number
  )
  update replays set sent = sent + (select count(*) from marked), progress_at = clock_timestamp() where id = for_id
  returning sent
$body$;
grant execute on function mark_sent to sluice_writer;

-- Ends a job of which nothing is left to be sent. With `gives_back`, what was not sent is open again: the queue confirmed
-- none of it, so an operator decides once more.
create function end_replay(for_id text, new_state text, new_reason text, new_detail text, gives_back boolean) returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  job replays;
begin
  select * into job from replays where id = for_id for update;
  if job.state = 'running' and gives_back then
    with returned as (
      delete from dead_letter_replays where replay_id = for_id and sent_at is null and outcome is null
      returning dead_letter_id
    )
    update dead_letters as d set state = 'open', opened_at = clock_timestamp(), closed_at = null
    from returned where d.id = returned.dead_letter_id and d.state = 'replayed' and d.replay_id = for_id;
  end if;
  update replays set state = new_state, reason = new_reason, detail = new_detail, finished_at = clock_timestamp(),
    lease_until = null, lease_by = null,
    -- A copy of a step that was killed may have come back before it was marked.
    sent = case action when 'discard' then sent
      else (select count(*) from dead_letter_replays as r where r.replay_id = for_id and (r.sent_at is not null or r.outcome is not null)) end
  where id = for_id and state = 'running' and not exists (
    select from dead_letter_replays as r where r.replay_id = for_id and r.sent_at is null and r.outcome is null
  );
  return read_replay('*', for_id);
end
$body$;
grant execute on function end_replay to sluice_writer;

-- Finds out what became of events that a job has sent: an event with a key is stored, one whose dead letter is open again or
-- was taken by another job is dead-lettered. Returns how many were found, at most `most`; how many have no outcome, of those
-- that have a key; and the job. Relies on dead_letter_replays_by_outcome and event_keys_pkey.
create function settle_replay(for_id text, most integer)
returns table (found_now integer, unsettled integer, job text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  changed_job replays;
begin
  with known as (
    select r.dead_letter_id, r.number,
      case when d.state = 'open' or d.replays > r.number then 'dead_lettered' else 'stored' end as outcome
    from dead_letter_replays as r join dead_letters as d on d.id = r.dead_letter_id
    where r.replay_id = for_id and r.outcome is null and r.sent_at is not null
      and (d.state = 'open' or d.replays > r.number or exists (
        select from event_keys as k where k.tenant = d.tenant and k.id = d.event_id and k.source = d.source
      ))
    limit most
  ), settled as (
    update dead_letter_replays as r set outcome = known.outcome, outcome_at = clock_timestamp()
    from known where r.dead_letter_id = known.dead_letter_id and r.number = known.number
    returning r.number
  )
  select count(*) into found_now from settled;

  select count(*) into unsettled from dead_letter_replays as r join dead_letters as d on d.id = r.dead_letter_id
  where r.replay_id = for_id and r.outcome is null and r.sent_at is not null and d.is_event;
  update replays set
    stored = (select count(*) from dead_letter_replays as r where r.replay_id = for_id and r.outcome = 'stored'),
    dead_lettered = (select count(*) from dead_letter_replays as r where r.replay_id = for_id and r.outcome = 'dead_lettered')
  where id = for_id returning * into changed_job;
  if changed_job.id is not null then
    job = replay_json(changed_job);
    return next;
  end if;
end
$body$;
grant execute on function settle_replay to sluice_writer;

-- Deletes dead letters that were closed before a time, and whose events were discarded or are known to be stored. An open one
-- is never deleted, nor one whose event is on its way. Those that count as discarded in the ledger still do.
create function delete_closed_dead_letters(closed_before timestamptz, most integer) returns integer
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  deleted integer;
  ended arrived_line[];
begin
  with removed as (
    delete from dead_letters where id in (
      select d.id from dead_letters as d
      where d.closed_at < closed_before and (d.state = 'discarded' or d.state = 'replayed' and exists (
        select from dead_letter_replays as r where r.dead_letter_id = d.id and r.number = d.replays and r.outcome = 'stored'
      ))
      limit most for update skip locked
    )
    returning tenant, producer, sequence, state
  )
  select
    count(*),
    array_agg(cast(row(coalesce(tenant, ''), producer, sequence, state) as arrived_line)) filter (where state = 'discarded')
  into deleted, ended from removed;

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
  return deleted;
end
$body$;
