-- Why: lists of events in the order they were received, with a filter, in pages that are ready on time.
-- Locks: nothing; new functions only, and settings of the reader's two users.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes.

-- The reader changes nothing, and none of its statements runs for longer than a page may take, with a margin for the plan and
-- for the last rows. Another database of the cluster is not concerned.
do $body$
begin
  for number in 1 .. 2 loop
    execute format('alter role %I in database %I set default_transaction_read_only = on',
      'sluice_reader_' || number, current_database());
    execute format('alter role %I in database %I set statement_timeout = %L',
      'sluice_reader_' || number, current_database(), '8s');
  end loop;
end
$body$;

-- Lists the events of a tenant from a position on, newest first or oldest first. Relies on events_by_arrival, which gives the
-- rows in this order but for the sources of one id; partitions outside the range are not read. Where `ids` is not null,
-- event_keys_pkey finds the times of these events, and only those rows are read. Where the catalog declares a field of
-- `lookup_fields`, event_fields_by_value finds the rows.
--
--   lookup_…       exact types and the values of fields that every event of the list has, for find_lookup; or null
--   condition      an expression over the row `e`; it reads the texts of a user as ($1)[n], from `condition_texts`
--   allowed_…      patterns as in read_event. Events that they do not allow are as absent ones, in `scanned` and counts too
--   horizon        the set is fixed: the events of transactions below this number, all of which have ended. Null: the number
--                  below which all have ended now
--   after_…        the position: the event before the first row, by its id and source or by their hash. Null: from the beginning
--                  of the range. SL410: an event that was given by its hash is no longer there
--   count_mode     none; exact, which goes on counting to `count_up_to` or until the time is over; estimate, which counts a
--                  few thousand rows and takes their share of the rows that the planner expects
--
-- It reads row by row and looks at the clock, so that a filter that matches nothing ends on time as well: where it stopped,
-- the next page goes on. The condition stands in the select list, behind the policy and behind the order, so that it neither
-- needs to be leakproof nor changes the plan.
--
-- Returns a row for each piece of an event's JSON, with the event's `number` in the page from 0; a result row of the Data API
-- may have 64 KB, and a result 1 MiB. The last row has the number -1 and the page's facts as JSON:
--   horizon, scanned   the number above; the rows that were read from the position to the end of the page
--   plan               index: all rows were found by a declared field or by their ids; scan: they were searched
--   stop               events, bytes: the page is full; time: the time is over; end: there are no more rows
--   more               false where nothing follows; behind a full page a thousand rows are looked at to know it
--   first, last        the key of the first event, and the position to go on from; null where there is none
--   count, relation    eq, gte (at least) or estimate; null for none
--
-- The tenant is set for this statement alone, for the policies, and stands in the predicate as well: each holds without the
-- other. The settings below keep the planner from reading and sorting a whole partition.
create function list_events(
  for_tenant text, condition text, condition_texts text[], allowed_types text[], allowed_sources text[], ids text[],
  from_time timestamptz, to_time timestamptz, newest_first boolean, horizon bigint,
  after_received_at timestamptz, after_id text, after_source text, after_hash text,
  max_events integer, max_bytes integer, piece_characters integer,
  count_mode text, count_up_to integer, budget_milliseconds integer,
  lookup_types text[] default null, lookup_fields jsonb default null
)
returns table (number integer, piece text)
language plpgsql set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set max_parallel_workers_per_gather = 0 set jit = off
as $body$
declare
  look_ahead_rows constant integer = 1000;
  estimate_rows constant integer = 2000;
  most_times constant integer = 1000;
  row_bytes constant integer = 64;
  clock_every constant integer = 64;
  deadline constant timestamptz = clock_timestamp() + budget_milliseconds * interval '1 millisecond';
  times timestamptz[];
  lookup_numbers integer[];
  lookup_hashes bigint[];
  rest_before timestamptz;
  head text;
  tail text;
  ordering text;
  event record;
  -- The key of the last event of the page, or of the row at which the time was over.
  kept_at timestamptz;
  kept_id text;
  kept_source text;
  position_at timestamptz = after_received_at;
  position_id text = after_id;
  position_source text = after_source;
  -- Rows that do not match, and those of them that the caller may not see.
  misses integer = 0;
  misses_of_page integer;
  hidden integer = 0;
  hidden_of_page integer;
  is_late boolean;
  ahead integer = 0;
  matched integer = 0;
  events integer = 0;
  -- Bytes of the events but for the unmeasured ones, and at most so many of all.
  bytes bigint = 0;
  bytes_at_most bigint = 0;
  unmeasured text[] = '{}';
  size integer;
  stop text = 'end';
  may_go_on boolean = false;
  is_at_end boolean;
  first_key json;
  last_key json;
  relation text;
  expected numeric;
  counted bigint;
  plan json;
begin
  perform set_config('app.tenant', for_tenant, true);
  horizon = coalesce(horizon, event_horizon());
  if ids is not null then
    select array_agg(received_at) into times from (
      select distinct received_at from event_keys where tenant = for_tenant and id = any (ids) limit most_times + 1
    ) as known;
    times = coalesce(times, '{}');
    if cardinality(times) > most_times then
      times = null;
    end if;
  end if;

  if after_hash is not null then
    select id, source into position_id, position_source from events
    where tenant = for_tenant and received_at = after_received_at and cast(event_hash(id, source) as text) = after_hash;
    if not found then
      raise exception 'the event at the position is no longer there' using errcode = 'SL410';
    end if;
  end if;

  if times is null and lookup_types is not null then
    select * into lookup_numbers, lookup_hashes, rest_before from find_lookup(
      for_tenant, lookup_types, lookup_fields, from_time, to_time, newest_first, position_at
    );
    count_mode = case when lookup_numbers is not null and count_mode = 'estimate' then 'exact' else count_mode end;
  end if;

  -- The body is null where the event does not match, and empty where the caller may not see it.
  head = 'select e.received_at, e.id, e.source, case when (abs(e.transaction_number) < $2'
    || case when allowed_types is null then '' else ' and ' || list_allows('e.type', '$3') end
    || case when allowed_sources is null then '' else ' and ' || list_allows('e.source', '$4') end
    || ') is not true then '''' when ' || coalesce(condition, 'true') || ' then ';
  tail = ' where e.tenant = $5'
    || case when times is null then '' else ' and e.received_at = any ($6) and e.id = any ($7)' end
    || case when from_time is null then '' else ' and e.received_at >= $8' end
    || case when to_time is null then '' else ' and e.received_at < $9' end;
  number = 0;
  ordering = case when newest_first
    then ' order by e.received_at desc, e.id desc, e.source desc'
    else ' order by e.received_at, e.id, e.source' end;
  ordering = case when lookup_numbers is null then ordering else replace(ordering, 'e.', 'k.') end;

  for event in
    execute head || 'event_json(cast(row(e.*) as events)) end as body from '
      || list_source(lookup_numbers, lookup_hashes, rest_before, from_time, to_time, list_keyset(position_at, newest_first), ordering)
      || tail || list_keyset(position_at, newest_first) || ordering
    using condition_texts, horizon, allowed_types, allowed_sources, for_tenant, times, ids, from_time, to_time,
      position_at, position_id, position_source
  loop
    -- Few statements for each row: they are most of the time of a page.
    if event.body is null or event.body = '' then
      misses = misses + 1;
      if event.body = '' then
        hidden = hidden + 1;
      end if;
      if misses % clock_every = 0 then
        is_late = clock_timestamp() > deadline;
        if stop = 'events' then
          may_go_on = is_late or misses - misses_of_page >= look_ahead_rows;
          exit when may_go_on;
        elsif is_late then
          stop = 'time';
          kept_at = event.received_at;
          kept_id = event.id;
          kept_source = event.source;
          exit;
        end if;
      end if;
      continue;
    end if;
    if stop = 'events' then
      may_go_on = true;
      exit;
    end if;
    size = octet_length(event.body);
    bytes_at_most = bytes_at_most + 2 * size + row_bytes * (1 + size / piece_characters);
    unmeasured = unmeasured || event.body;
    if bytes_at_most > max_bytes then
      select bytes + sum(octet_length(cast(to_json(body) as text)) + row_bytes * (1 + length(body) / piece_characters))
      into bytes from unnest(unmeasured) as body;
      if bytes > max_bytes and number > 0 then
        stop = 'bytes';
        may_go_on = true;
        exit;
      end if;
      bytes_at_most = bytes;
      unmeasured = '{}';
    end if;
    if size <= piece_characters then
      piece = event.body;
      return next;
    else
      return query
      select number, substr(event.body, part * piece_characters + 1, piece_characters)
      from generate_series(0, (length(event.body) - 1) / piece_characters) as part;
    end if;
    if number = 0 then
      first_key = list_key(event.received_at, event.id, event.source, true);
    end if;
    number = number + 1;
    kept_at = event.received_at;
    kept_id = event.id;
    kept_source = event.source;
    if number = max_events then
      stop = 'events';
      misses_of_page = misses;
      hidden_of_page = hidden;
      exit when count_mode <> 'none';
    end if;
  end loop;
  events = number;
  if stop <> 'events' then
    misses_of_page = misses;
    hidden_of_page = hidden;
  end if;
  if events > 0 or stop = 'time' then
    last_key = list_key(kept_at, kept_id, kept_source, stop <> 'time' or event.body is distinct from '');
    position_at = kept_at;
  end if;
  matched = events;
  is_at_end = stop <> 'time' and not may_go_on;

  -- Behind a full page: how many are there?
  if stop in ('events', 'bytes') and count_mode <> 'none' then
    is_at_end = true;
    for event in
      execute head || '''-'' end as body from '
        || list_source(lookup_numbers, lookup_hashes, rest_before, from_time, to_time, list_keyset(kept_at, newest_first), ordering)
        || tail || list_keyset(kept_at, newest_first) || ordering
      using condition_texts, horizon, allowed_types, allowed_sources, for_tenant, times, ids, from_time, to_time,
        kept_at, kept_id, kept_source
    loop
      ahead = ahead + 1;
      if event.body <> '' then
        matched = matched + 1;
      end if;
      if matched > count_up_to and count_mode = 'exact'
        or ahead >= estimate_rows and count_mode = 'estimate'
        or ahead % clock_every = 0 and clock_timestamp() > deadline
      then
        is_at_end = false;
        exit;
      end if;
    end loop;
  end if;

  if count_mode <> 'none' then
    relation = case when is_at_end and matched <= count_up_to then 'eq' when count_mode = 'exact' then 'gte' else 'estimate' end;
    if relation = 'estimate' then
      execute format(
        'explain (format json) select from events where tenant = %L and received_at >= %L and received_at < %L',
        for_tenant, coalesce(from_time, '-infinity'), coalesce(to_time, 'infinity')
      ) into plan;
      expected = cast(plan -> 0 -> 'Plan' ->> 'Plan Rows' as numeric);
      counted = greatest(matched, round(1.0 * expected * matched / greatest(events + misses_of_page + ahead, 1)));
    else
      counted = least(matched, count_up_to);
    end if;
  end if;

  number = -1;
  piece = json_build_object(
    'horizon', cast(horizon as text), 'scanned', events + misses_of_page - hidden_of_page,
    'plan', case
      when times is null and lookup_numbers is null then 'scan'
      when rest_before is not null and (not newest_first or stop = 'end' or position_at < rest_before) then 'scan'
      else 'index'
    end,
    'stop', stop,
    'more', matched > events or not is_at_end,
    'first', first_key,
    'last', last_key,
    'count', counted, 'relation', relation
  );
  return next;
end
$body$;
grant execute on function list_events to sluice_reader;

-- The condition on the position, for the statement of list_events. The time alone stands in it as well, for the partitions.
-- Without a search path, as list_key below.
create function list_keyset(position_at timestamptz, newest_first boolean) returns text
language sql immutable as $body$
  select case
    when position_at is null then ''
    when newest_first then ' and e.received_at <= $10 and (e.received_at, e.id, e.source) < ($10, $11, $12)'
    else ' and e.received_at >= $10 and (e.received_at, e.id, e.source) > ($10, $11, $12)'
  end
$body$;
grant execute on function list_keyset to sluice_reader;

-- The condition that one of the patterns of a parameter matches a column, for the statement of list_events. Without a search
-- path, as list_key below.
create function list_allows(matched_column text, patterns text) returns text
language sql immutable as $body$
  select format(
    'exists (select from unnest(%2$s) as pattern where %1$s = pattern or right(pattern, 1) = ''*'' and starts_with(%1$s, left(pattern, -1)))',
    matched_column, patterns
  )
$body$;
grant execute on function list_allows to sluice_reader;

-- The place of an event as JSON, with the microseconds of its time. A cursor is no secret, so for an event that its reader may
-- not see it has the hash of the id and the source in their place. It has no search path, so that PostgreSQL makes it a part
-- of the expression around it.
create function list_key(received_at timestamptz, id text, source text, is_visible boolean) returns json
language sql stable as $body$
  select json_build_array(
    to_char(received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    case when is_visible then id end, case when is_visible then source end,
    cast(public.event_hash(id, source) as text)
  )
$body$;
grant execute on function list_key to sluice_reader;

-- Returns the tenant where fewer than `slots` statements of it hold a slot, and holds one until its transaction ends; else
-- SL429. A lock needs no row, and a process that dies leaves none behind.
create function take_query_slot(for_tenant text, slots integer) returns text
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
begin
  for slot in 1 .. slots loop
    if pg_try_advisory_xact_lock(hashtextextended(for_tenant, slot)) then
      return for_tenant;
    end if;
  end loop;
  raise exception 'the tenant has % queries under way', slots using errcode = 'SL429';
end
$body$;
grant execute on function take_query_slot to sluice_reader;
