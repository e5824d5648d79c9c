-- Why: dead letters that never expire, can be searched by a team, and are replayed or discarded by jobs.
-- Locks: new tables only.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes.

-- One row for an event that could not be stored, or for a whole message that could not be read, for its whole life.
create table dead_letters (
  -- dl_ and 32 characters of 0-9 and a-f, made of the message's id and the index, or named by the message: a message that is
  -- delivered twice makes no second row.
  id text collate "C" primary key,
  -- The message of SQS, and the event's index in it, from 0.
  message_id text collate "C" not null,
  message_index integer not null,
  -- Null: the message named none.
  tenant text collate "C",
  type text collate "C",
  source text collate "C",
  event_id text collate "C",
  subject text,
  time timestamptz,
  -- As in the table events.
  time_sent text,
  dataschema text,
  datacontenttype text,
  extensions jsonb,
  -- Null as well where PostgreSQL cannot hold it; `body` has it.
  data jsonb,
  received_at timestamptz,
  reason text collate "C" not null,
  sql_state text collate "C",
  -- The cause in the database's words, and the same without ids, numbers and quoted texts.
  message text not null,
  message_group text not null,
  attempts integer not null,
  replays integer not null default 0,
  state text collate "C" not null default 'open' check (state in ('open', 'replayed', 'discarded')),
  created_at timestamptz not null default clock_timestamp(),
  -- When it became open the last time.
  opened_at timestamptz not null default clock_timestamp(),
  closed_at timestamptz,
  -- The job that took it last.
  replay_id text collate "C",
  -- True: the body is a queue message with this one event. False: a whole message as it came.
  is_event boolean not null,
  -- The body of a queue message, as SQS delivered it or as an edit has corrected it.
  body text not null,
  -- The MD5 of the body that an edit has replaced first, by which a late copy of it is known.
  edited_from text collate "C",
  -- The process of ingest that accepted the event, and the event's number there; null where nobody has numbered it.
  producer text collate "C",
  sequence bigint
);

-- Lists the dead letters of a tenant in a state, by the time they became open, and counts them; then those of all tenants.
create index dead_letters_of_tenant on dead_letters (tenant, state, opened_at, id);
create index dead_letters_of_all on dead_letters (state, opened_at, id);

-- Finds the dead letters of an event: for GET /events/{id}, and for copies of one.
create index dead_letters_by_event on dead_letters (tenant, event_id);

-- Finds the dead letters of a number: for copies of one, and for producers that are forgotten.
create index dead_letters_by_number on dead_letters (tenant, producer, sequence) where producer is not null;

-- A job that replays or discards dead letters.
create table replays (
  -- rpl_ and 32 characters of 0-9 and a-f, which begin with the time of the start.
  id text collate "C" primary key,
  action text collate "C" not null check (action in ('replay', 'discard')),
  -- '*' is the installation: the dead letters of every tenant, and those without one.
  tenant text collate "C" not null,
  state text collate "C" not null default 'running' check (state in ('running', 'done', 'cancelled', 'failed')),
  -- The request as JSON text (functions/core/replay-job.ts).
  request text not null,
  key_id text not null,
  types text[],
  sources text[],
  planned integer not null,
  taken integer not null default 0,
  sent integer not null default 0,
  stored integer not null default 0,
  dead_lettered integer not null default 0,
  -- The row at which the next step goes on: opened_at and id.
  after_opened_at timestamptz,
  after_id text collate "C",
  is_cancelling boolean not null default false,
  reason text,
  detail text,
  created_at timestamptz not null default clock_timestamp(),
  progress_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  -- A step works until then at the latest, and the message that started it.
  lease_until timestamptz,
  lease_by text
);

-- Corrected events of a job, by the id of the dead letter.
create table replay_edits (
  replay_id text collate "C" not null references replays on delete cascade,
  dead_letter_id text collate "C" not null,
  -- The body of a queue message with the corrected event.
  body text not null,
  primary key (replay_id, dead_letter_id)
);

-- What became of a dead letter each time that a job took it.
create table dead_letter_replays (
  dead_letter_id text collate "C" not null references dead_letters on delete cascade,
  -- Of the dead letter's replays, from 1; 0 for the discard.
  number integer not null,
  replay_id text collate "C" not null,
  taken_at timestamptz not null default clock_timestamp(),
  -- Null: it may have been sent, and is sent again.
  sent_at timestamptz,
  outcome text collate "C" check (outcome in ('stored', 'dead_lettered')),
  outcome_at timestamptz,
  -- Of the return.
  reason text collate "C",
  sql_state text collate "C",
  message text,
  primary key (dead_letter_id, number)
);

-- A reader sees the rows of the tenant that is set, and with * those of every tenant and of none.
alter table dead_letters enable row level security;
create policy read_one_tenant on dead_letters for select to sluice_reader
  using (
    tenant = nullif(current_setting('app.tenant', true), '') or current_setting('app.tenant', true) = '*'
  );
alter table replays enable row level security;
create policy read_one_tenant on replays for select to sluice_reader
  using (
    tenant = nullif(current_setting('app.tenant', true), '') or current_setting('app.tenant', true) = '*'
  );
-- Of what belongs to a row, the rows that the policy of its table shows.
alter table replay_edits enable row level security;
create policy read_one_tenant on replay_edits for select to sluice_reader
  using (exists (select from replays where id = replay_id));
alter table dead_letter_replays enable row level security;
create policy read_one_tenant on dead_letter_replays for select to sluice_reader
  using (exists (select from dead_letters where id = dead_letter_id));
grant select on dead_letters, replays, replay_edits, dead_letter_replays to sluice_reader;

-- Records dead letters, all or none, and returns how many are new or open again. `lines` are JSON objects without their bodies, which are in `bodies`. What is recorded already stays as it
-- is, so a message may be delivered again.
--
-- Where a value is more than PostgreSQL holds, the lines are recorded one by one, and those at fault without the columns
-- that only filters read.
--
-- It runs as its owner, as store_batch does: a call has dead letters of several tenants, and of none.
create function record_dead_letters(lines text[], bodies text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  recorded integer;
begin
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
grant execute on function record_dead_letters to sluice_writer;

-- Returns the number of open dead letters of all tenants, at most `count_up_to`. Relies on dead_letters_of_all.
create function count_open_dead_letters(count_up_to integer) returns integer
language sql security definer set search_path = pg_catalog, public, pg_temp as $body$
  select cast(count(*) as integer) from (select from dead_letters where state = 'open' limit count_up_to) as open
$body$;
grant execute on function count_open_dead_letters to sluice_writer;

-- Inserts dead letters and opens those that a replay has sent, and returns how many rows were changed. Of a line that names a
-- row, as the dead letter of a replayed message does:
--   there is no such row                 it becomes that row
--   the row is of another event          it becomes a row of its own: somebody has written the name by hand
--   the row is replayed, at most as often as the line says
--                                        it is opened again, and the history says why
--   else                                 the return is recorded already
-- A line that names none, of a replayed message, means the replayed row that has the same event with the same body: the message
-- went by way of another queue. Any other is a copy where an open or replayed row has the same event, or the same number, with the same
-- body: the consumer was killed after it had sent the first. Calls with events of one producer wait for each other, so that of two
-- copies at once one is recorded. Relies on the primary keys, on dead_letters_by_event and on dead_letters_by_number.
--
-- `with_search` fills the columns that only filters read. `with_checks` leaves out values that PostgreSQL cannot hold; without it
-- such a value ends the call, but for data that is not plain, which is always checked.
create function insert_dead_letters(lines text[], bodies text[], with_search boolean, with_checks boolean) returns integer
language plpgsql set plan_cache_mode = force_generic_plan set search_path = pg_catalog, public, pg_temp as $body$
declare
  changed integer = 0;
  changed_now integer;
  names_missing boolean;
begin
  perform lock_arrivals(array_agg(distinct tenant || ' ' || producer))
  from jsonb_to_recordset(cast('[' || array_to_string(lines, ',') || ']' as jsonb)) as line (tenant text, producer text)
  where tenant is not null and producer is not null;

  -- Lines of several events may name one missing row, in this call or in two at once: the second pass finds it.
  for pass in 1 .. 2 loop
    with given as (
      select
        line.*,
        case when line.dead_letter_id is not null or line.event_id is null and line.sequence is null
          then cast(position as text) else md5(body) end as copy_of,
        case when with_search and line.is_event and (line.is_plain and not with_checks or pg_input_is_valid(body, 'jsonb'))
          then cast(body as jsonb) #> '{events,0}' end as event,
        case when with_search and (not with_checks or pg_input_is_valid(line.sent_time, 'timestamptz'))
          then cast(line.sent_time as timestamptz) end as time,
        case when not with_checks or pg_input_is_valid(line.sent_received_at, 'timestamptz')
          then cast(line.sent_received_at as timestamptz) end as received_at,
        known.id as known_id, known.replays as known_replays, known.state as known_state,
        coalesce(known.tenant = line.tenant, true) and coalesce(known.event_id = line.event_id, true)
          and coalesce(known.source = line.source, true) as is_same
      from rows from (
        jsonb_to_recordset(cast('[' || array_to_string(lines, ',') || ']' as jsonb)) as (
          id text, dead_letter_id text, message_id text, message_index integer, tenant text, type text, source text,
          event_id text, subject text, sent_time text, time_sent text, dataschema text, datacontenttype text,
          sent_received_at text, reason text, sql_state text, message text, message_group text, attempts integer,
          replays integer, is_event boolean, is_plain boolean, producer text, sequence bigint
        ),
        unnest(bodies)
      ) with ordinality as line (
        id, dead_letter_id, message_id, message_index, tenant, type, source, event_id, subject, sent_time, time_sent, dataschema,
        datacontenttype, sent_received_at, reason, sql_state, message, message_group, attempts, replays, is_event, is_plain,
        producer, sequence, body, position
      )
      left join lateral (
        select d.id, d.replays, d.state, d.tenant, d.event_id, d.source from dead_letters as d where d.id = line.dead_letter_id
        union all
        (
          select d.id, d.replays, d.state, d.tenant, d.event_id, d.source from dead_letters as d
          where line.dead_letter_id is null and line.replays > 0 and d.tenant = line.tenant and d.event_id = line.event_id
            and d.source = line.source and d.state = 'replayed' and d.replays between 1 and line.replays and d.body = line.body
          limit 1
        )
      ) as known on true
    ),
    fresh as (
      insert into dead_letters (
        id, message_id, message_index, tenant, type, source, event_id, subject, time, time_sent, dataschema, datacontenttype,
        extensions, data, received_at, reason, sql_state, message, message_group, attempts, replays, is_event, body, producer,
        sequence
      )
      select
        case when known_id is null then coalesce(dead_letter_id, id) else id end, message_id, message_index, tenant, type, source,
        event_id, subject, time, time_sent, dataschema, datacontenttype, event -> 'extensions', event -> 'data', received_at, reason,
        sql_state, message, message_group, attempts, replays, is_event, body, case when tenant is not null then producer end,
        case when tenant is not null then sequence end
      from (
        select distinct on (copy_of, tenant, source, event_id) *
        from given
        where (known_id is null or not is_same)
          and (
            dead_letter_id is not null or not exists (
              select from dead_letters as twin
              where twin.tenant = given.tenant and twin.event_id = given.event_id and twin.source = given.source
                and twin.state in ('open', 'replayed') and (twin.body = given.body or twin.edited_from = md5(given.body))
            ) and not exists (
              select from dead_letters as twin
              where twin.tenant = given.tenant and twin.producer = given.producer and twin.sequence = given.sequence
                and twin.state <> 'discarded' and (given.body = twin.body or md5(given.body) = twin.edited_from)
            )
          )
        order by copy_of, tenant, source, event_id, position
      ) as new
      order by position
      on conflict do nothing
      returning id
    ),
    returning_row as (
      select distinct on (row.id) given.*, row.id as row_id, row.replays as row_replays
      from given join dead_letters as row on row.id = given.known_id
      where is_same and known_state = 'replayed' and given.replays >= known_replays
      order by row.id, given.replays desc
    ),
    opened as (
      update dead_letters as row
      set state = 'open', opened_at = clock_timestamp(), closed_at = null, attempts = back.attempts, replays = back.replays,
        reason = back.reason, sql_state = back.sql_state, message = back.message, message_group = back.message_group,
        type = back.type, source = back.source, event_id = back.event_id, subject = back.subject, time = back.time,
        time_sent = back.time_sent, dataschema = back.dataschema, datacontenttype = back.datacontenttype,
        extensions = back.event -> 'extensions', data = back.event -> 'data', is_event = back.is_event, body = back.body
      from returning_row as back
      where row.id = back.row_id and row.state = 'replayed' and row.replays <= back.replays
      returning row.id, back.row_replays as number, row.reason, row.sql_state, row.message
    ),
    noted as (
      update dead_letter_replays as history
      set outcome = 'dead_lettered', outcome_at = clock_timestamp(), sent_at = coalesce(sent_at, clock_timestamp()),
        reason = opened.reason, sql_state = opened.sql_state, message = opened.message
      from opened
      where history.dead_letter_id = opened.id and history.number = opened.number
    )
    select
      (select count(*) from fresh) + (select count(*) from opened),
      exists (select from given where dead_letter_id is not null and known_id is null)
    into changed_now, names_missing;
    changed = changed + changed_now;
    exit when not names_missing;
  end loop;
  return changed;
end
$body$;

-- The conditions on the rows `d` of dead_letters that a request means, as SQL over these parameters; null means any value.
--   $1 condition_texts, of `condition`, which is an expression over the row `e` of the event as in list_events
--   $2 for_tenant, where * is every tenant and none    $3 allowed_types    $4 allowed_sources
--   $5 ids    $6 reasons    $7 sql_states    $8 message_groups    $9 states    $10 from_time    $11 to_time, of opened_at
create function dead_letter_condition(
  for_tenant text, condition text, allowed_types text[], allowed_sources text[], ids text[], reasons text[],
  sql_states text[], message_groups text[], states text[], from_time timestamptz, to_time timestamptz
)
returns text
language sql immutable set search_path = pg_catalog, public, pg_temp as $body$
  select 'true'
    || case when for_tenant = '*' then '' else ' and d.tenant = $2' end
    || case when allowed_types is null then '' else ' and ' || list_allows('d.type', '$3') end
    || case when allowed_sources is null then '' else ' and ' || list_allows('d.source', '$4') end
    || case when ids is null then '' else ' and d.id = any ($5)' end
    || case when reasons is null then '' else ' and d.reason = any ($6)' end
    || case when sql_states is null then '' else ' and d.sql_state = any ($7)' end
    || case when message_groups is null then '' else ' and d.message_group = any ($8)' end
    -- One state is an equality, so that the order of an index may serve.
    || case when states is null then '' when cardinality(states) = 1 then ' and d.state = ($9)[1]' else ' and d.state = any ($9)' end
    || case when from_time is null then '' else ' and d.opened_at >= $10' end
    || case when to_time is null then '' else ' and d.opened_at < $11' end
    || case when condition is null then '' else
      ' and d.is_event and exists (select from (select d.event_id as id, d.source, d.type, d.subject, d.time, d.time_sent, d.dataschema,'
      || ' d.datacontenttype, d.extensions, d.data) as e where ' || condition || ')' end
$body$;
grant execute on function dead_letter_condition to sluice_reader;

-- A dead letter as the API shows it, as JSON without its closing bracket.
create function dead_letter_json(d dead_letters) returns text
language sql stable as $body$
  select rtrim(cast(json_build_object(
    'id', d.id, 'reason', d.reason, 'sqlState', d.sql_state, 'message', d.message, 'tenant', d.tenant, 'type', d.type,
    'source', d.source, 'eventId', d.event_id,
    'receivedAt', to_char(d.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'openedAt', to_char(d.opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'state', d.state, 'attempts', d.attempts, 'replays', d.replays
  ) as text), '}')
$body$;
grant execute on function dead_letter_json to sluice_reader;

-- Lists dead letters, those that became open last first, in rows of JSON; dead_letter_condition says what the parameters
-- mean, and `after_…` is the position behind which it begins. It reads row by row and looks at the clock, as list_events
-- does. Relies on dead_letters_of_tenant and dead_letters_of_all where one state is meant.
--
-- The last row has the facts: `more`, and `last`, the position of the row at which it ended.
--
-- The tenant is set for this statement alone, for the policy, and stands in the predicate as well.
create function list_dead_letters(
  for_tenant text, condition text, condition_texts text[], allowed_types text[], allowed_sources text[], ids text[],
  reasons text[], sql_states text[], message_groups text[], states text[], from_time timestamptz, to_time timestamptz,
  after_opened_at timestamptz, after_id text, max_rows integer, max_bytes integer, budget_milliseconds integer
)
returns table (piece text)
language plpgsql set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set max_parallel_workers_per_gather = 0 set jit = off
as $body$
declare
  clock_every constant integer = 64;
  row_bytes constant integer = 64;
  deadline constant timestamptz = clock_timestamp() + budget_milliseconds * interval '1 millisecond';
  candidate record;
  last_opened_at timestamptz = after_opened_at;
  last_id text = after_id;
  found_rows integer = 0;
  looked_at integer = 0;
  bytes bigint = 0;
  more boolean = false;
begin
  perform set_config('app.tenant', for_tenant, true);
  for candidate in
    execute 'select d.opened_at, d.id, ('
      || dead_letter_condition(for_tenant, condition, allowed_types, allowed_sources, null, reasons, sql_states, message_groups, null, null, null)
      || ') as is_meant from dead_letters as d where '
      || dead_letter_condition(for_tenant, null, null, null, ids, null, null, null, states, from_time, to_time)
      || case when after_id is null then '' else ' and (d.opened_at, d.id) < ($12, $13)' end
      || ' order by d.opened_at desc, d.id desc'
    using condition_texts, for_tenant, allowed_types, allowed_sources, ids, reasons, sql_states, message_groups, states,
      from_time, to_time, after_opened_at, after_id
  loop
    looked_at = looked_at + 1;
    if looked_at % clock_every = 0 and clock_timestamp() > deadline then
      more = true;
      exit;
    end if;
    if candidate.is_meant then
      select dead_letter_json(d) || '}' into piece from dead_letters as d where d.id = candidate.id;
      bytes = bytes + octet_length(cast(to_json(piece) as text)) + row_bytes;
      if found_rows = max_rows or bytes > max_bytes and found_rows > 0 then
        more = true;
        exit;
      end if;
      found_rows = found_rows + 1;
      return next;
    end if;
    last_opened_at = candidate.opened_at;
    last_id = candidate.id;
  end loop;
  piece = json_build_object('more', more, 'last', case when last_id is not null then json_build_array(
    to_char(last_opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), last_id
  ) end);
  return next;
end
$body$;
grant execute on function list_dead_letters to sluice_reader;

-- Groups dead letters by reason, SQLSTATE and message without ids, numbers and quoted texts; the largest groups first, in
-- rows of JSON. `share` is of all groups. The sample is the one that became open last. A group names up to `max_types` types.
create function group_dead_letters(
  for_tenant text, condition text, condition_texts text[], allowed_types text[], allowed_sources text[], ids text[],
  reasons text[], sql_states text[], message_groups text[], states text[], from_time timestamptz, to_time timestamptz,
  max_groups integer, max_types integer
)
returns table (piece text)
language plpgsql set search_path = pg_catalog, public, pg_temp
set jit = off
as $body$
begin
  perform set_config('app.tenant', for_tenant, true);
  return query execute
    'with counted as (
      select d.reason, d.sql_state, d.message_group, d.type, count(*) as rows_of_type, min(d.opened_at) as first_seen,
        max(d.opened_at) as last_seen
      from dead_letters as d where ' || dead_letter_condition(
        for_tenant, condition, allowed_types, allowed_sources, ids, reasons, sql_states, message_groups, states, from_time, to_time
      ) || ' group by 1, 2, 3, 4
    ),
    groups as (
      select reason, sql_state, message_group, sum(rows_of_type) as size, min(first_seen) as first_seen,
        max(last_seen) as last_seen, array_agg(type order by rows_of_type desc, type) filter (where type is not null) as types,
        sum(sum(rows_of_type)) over () as total
      from counted group by 1, 2, 3
      order by size desc, reason, sql_state, message_group
      limit $12
    )
    select cast(json_build_object(
      ''reason'', g.reason, ''sqlState'', g.sql_state, ''message'', g.message_group, ''count'', g.size,
      ''share'', round(g.size / g.total, 4),
      ''firstSeen'', to_char(g.first_seen at time zone ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"''),
      ''lastSeen'', to_char(g.last_seen at time zone ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"''),
      ''types'', coalesce(g.types[1 : $13], ''{}''), ''sample'', cast(sample.body as json)
    ) as text)
    from groups as g cross join lateral (
      select dead_letter_json(d) || ''}'' as body
      from dead_letters as d
      where d.opened_at = g.last_seen and d.reason = g.reason and d.sql_state is not distinct from g.sql_state
        and d.message_group = g.message_group and ' || dead_letter_condition(
          for_tenant, condition, allowed_types, allowed_sources, ids, null, null, null,
          coalesce(states, array['open', 'replayed', 'discarded']), null, null
        ) || '
      order by d.id desc limit 1
    ) as sample
    order by g.size desc, g.reason, g.sql_state, g.message_group'
  using condition_texts, for_tenant, allowed_types, allowed_sources, ids, reasons, sql_states, message_groups,
    coalesce(states, array['open', 'replayed', 'discarded']), from_time, to_time, max_groups, max_types;
end
$body$;
grant execute on function group_dead_letters to sluice_reader;

-- Reads one dead letter: a row with its JSON, one for each of its last replays, oldest first, and a part of its body, from
-- `first_piece` on, in pieces. A body may be larger than a result of the Data API. Relies on the primary keys.
create function read_dead_letter(
  for_tenant text, for_id text, allowed_types text[], allowed_sources text[], piece_characters integer, first_piece integer,
  max_pieces integer, max_replays integer
)
returns table (part text, piece text)
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  found_row dead_letters;
begin
  perform set_config('app.tenant', for_tenant, true);
  select * into found_row from dead_letters as d
  where d.id = for_id and (for_tenant = '*' or d.tenant = for_tenant)
    and (allowed_types is null or d.type is not null and matches_pattern(allowed_types, d.type))
    and (allowed_sources is null or d.source is not null and matches_pattern(allowed_sources, d.source));
  if not found then
    return;
  end if;
  if first_piece = 0 then
    return query select 'row', dead_letter_json(found_row) || ',"isEvent":' || found_row.is_event || ',"pieces":'
      || 1 + (length(found_row.body) - 1) / piece_characters || '}';
    return query
    select 'replay', cast(json_build_object(
      'number', past.number, 'replayId', past.replay_id,
      'takenAt', to_char(past.taken_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'sentAt', to_char(past.sent_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'outcome', past.outcome, 'reason', past.reason, 'sqlState', past.sql_state, 'message', past.message
    ) as text)
    from (
      select * from dead_letter_replays where dead_letter_id = found_row.id order by taken_at desc, number desc limit max_replays
    ) as past
    order by past.taken_at, past.number;
  end if;
  return query
  select 'body', substr(found_row.body, number * piece_characters + 1, piece_characters)
  from generate_series(first_piece, least(first_piece + max_pieces - 1, (length(found_row.body) - 1) / piece_characters)) as number
  order by number;
end
$body$;
grant execute on function read_dead_letter to sluice_reader;

-- Finds the dead letter of an event that is not stored: open, or sent by a replay; the latest one. Relies on
-- dead_letters_by_event.
create function find_dead_letter(
  for_tenant text, for_event_id text, for_source text, allowed_types text[], allowed_sources text[]
)
returns table (id text, state text, reason text, message text)
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
begin
  perform set_config('app.tenant', for_tenant, true);
  return query
  select d.id, d.state, d.reason, d.message from dead_letters as d
  where d.tenant = for_tenant and d.event_id = for_event_id and (for_source is null or d.source = for_source)
    and d.state in ('open', 'replayed')
    and (allowed_types is null or d.type is not null and matches_pattern(allowed_types, d.type))
    and (allowed_sources is null or d.source is not null and matches_pattern(allowed_sources, d.source))
  order by d.opened_at desc, d.id desc
  limit 1;
end
$body$;
grant execute on function find_dead_letter to sluice_reader;
