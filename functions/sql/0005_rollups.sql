-- Why: counts and measures of events without reading the events. The statement that stores events appends what it stored
-- to `rollup_deltas`, in its own transaction, so the two cannot differ, whatever fails or is repeated.
-- Locks: new tables only.

-- The fields that the catalog declares (`export const measures`), as JSON Pointers into `data`. functions/migrate writes
-- them. Deltas of events that were received before `covered_from` may lack the field, so nothing is answered from them.
create table measures (
  type text collate "C" not null,
  pointer text collate "C" not null,
  path text[] not null,
  covered_from timestamptz not null,
  primary key (type, pointer)
);
grant select on measures to sluice_reader;

-- What one block of a store statement added to a minute of `received_at`: a row with the pointer '' that counts events,
-- and for each declared field a row about its numbers. Rows are only ever appended, so no writer waits for another one.
-- `buckets` and `counts` are the histogram: value_bucket of the numbers, ascending, and how many are in each.
create table rollup_deltas (
  tenant text collate "C" not null,
  minute timestamptz not null,
  type text collate "C" not null,
  source text collate "C" not null,
  pointer text collate "C" not null,
  events bigint not null,
  total numeric,
  low numeric,
  high numeric,
  buckets integer[],
  counts integer[],
  transaction_number bigint not null default cast(cast(pg_current_xact_id() as text) as bigint)
);

-- Finds a tenant's deltas of some minutes; also the order in which they are merged.
create index rollup_deltas_by_minute on rollup_deltas (tenant, minute);

-- Merged deltas: one row per group. `transaction_number` is the highest of the merged ones.
create table rollups (
  like rollup_deltas,
  primary key (tenant, minute, type, source, pointer)
);

alter table rollup_deltas enable row level security;
create policy read_one_tenant on rollup_deltas for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
grant select on rollup_deltas to sluice_reader;
alter table rollups enable row level security;
create policy read_one_tenant on rollups for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
grant select on rollups to sluice_reader;

-- A number of an event, and an event as its deltas need it.
create type measured as (pointer text, value numeric);
create type stored_event as (tenant text, type text, source text, received_at timestamptz, numbers measured[]);

-- The bucket of a number in a histogram whose buckets grow by 2 %: ceil(ln(value) / ln(1.02)), moved up so that no
-- positive number has a bucket below 1; a negative number has the bucket of its absolute value, negated; zero has 0. So
-- buckets have the order of the numbers. A number may have 1,100 digits (NUMBER_MAX_DIGITS of functions/core/limits.ts),
-- which no double holds: of very large and very small ones the first 15 digits count, and the number of the others.
create function value_bucket(value numeric) returns integer
language sql immutable parallel safe as $body$
  select case
    when value = 0 then 0
    else cast(sign(value) as integer) * (10000000 + cast(ceil((
      case
        when abs(value) between 1e-300 and 1e300 then ln(cast(abs(value) as double precision))
        when abs(value) > 1 then
          ln(cast(left(cast(trunc(abs(value)) as text), 15) as double precision))
          + ln(cast(10 as double precision)) * (length(cast(trunc(abs(value)) as text)) - 15)
        else
          ln(cast(left(ltrim(cast(abs(value) as text), '0.'), 15) as double precision))
          - ln(cast(10 as double precision)) * (scale(value) - greatest(length(ltrim(cast(abs(value) as text), '0.')) - 15, 0))
      end
    ) / ln(cast(1.02 as double precision))) as integer))
  end
$body$;

-- The number that stands for the numbers of a bucket: at most 1 % from each of them.
create function bucket_value(bucket integer) returns numeric
language sql immutable parallel safe as $body$
  select case
    when bucket = 0 then 0
    else cast(sign(bucket) as numeric) * 2 / 2.02 * (case
      when abs(abs(bucket) - 10000000) < 30000
        then cast(power(cast(1.02 as double precision), abs(bucket) - 10000000) as numeric)
      else power(1.02, cast(abs(bucket) - 10000000 as numeric))
    end)
  end
$body$;
grant execute on function bucket_value to sluice_reader;

-- Appends the deltas of events that were stored by the same statement, and returns the number of the events.
create function append_deltas(added stored_event[]) returns integer
language plpgsql set plan_cache_mode = force_generic_plan as $body$
begin
  if added is null then
    return 0;
  end if;
  insert into rollup_deltas (tenant, minute, type, source, pointer, events)
  select tenant, date_bin('1 minute', received_at, '2000-01-01T00:00:00Z'), type, source, '', count(*)
  from unnest(added)
  group by 1, 2, 3, 4;
  if exists (select from unnest(added) as event where event.numbers is not null) then
    insert into rollup_deltas (tenant, minute, type, source, pointer, events, total, low, high, buckets, counts)
    select
      tenant, minute, type, source, pointer, sum(number), sum(total), min(low), max(high),
      array_agg(bucket order by bucket), array_agg(number order by bucket)
    from (
      select
        tenant, date_bin('1 minute', received_at, '2000-01-01T00:00:00Z') as minute, type, source, pointer,
        value_bucket(value) as bucket, cast(count(*) as integer) as number, sum(value) as total, min(value) as low,
        max(value) as high
      from unnest(added) as event, unnest(event.numbers)
      group by 1, 2, 3, 4, 5, 6
    ) as by_bucket
    group by 1, 2, 3, 4, 5;
  end if;
  return cardinality(added);
end
$body$;

-- Merges deltas of minutes before `settled`, at most so many, with what was merged before: one row per group. Returns the
-- number of merged deltas. It is one statement, so a reader sees each event once, and a run that ends early has done
-- nothing; of two runs at the same time one waits for the other. Relies on rollup_deltas_by_minute and rollups_pkey.
create function compact_rollups(settled timestamptz, max_deltas integer) returns integer
language plpgsql as $body$
declare
  merged integer;
begin
  -- The number is arbitrary; nothing else in the database uses it.
  perform pg_advisory_xact_lock(7284562134);
  with chosen as (
    select ctid as place from rollup_deltas where minute < settled order by tenant, minute limit max_deltas
  ),
  taken as (
    delete from rollup_deltas where ctid = any (array(select place from chosen)) and minute < settled returning *
  ),
  earlier as (
    delete from rollups using (select distinct tenant, minute, type, source, pointer from taken) as key
    where (rollups.tenant, rollups.minute, rollups.type, rollups.source, rollups.pointer)
        = (key.tenant, key.minute, key.type, key.source, key.pointer)
    returning rollups.*
  ),
  parts as (select * from taken union all select * from earlier),
  totals as (
    select
      tenant, minute, type, source, pointer, sum(events) as events, sum(total) as total, min(low) as low,
      max(high) as high, max(transaction_number) as transaction_number
    from parts group by 1, 2, 3, 4, 5
  ),
  histograms as (
    select
      tenant, minute, type, source, pointer, array_agg(bucket order by bucket) as buckets,
      array_agg(number order by bucket) as counts
    from (
      select tenant, minute, type, source, pointer, bucket, cast(sum(number) as integer) as number
      from parts, unnest(buckets, counts) as bar (bucket, number) group by 1, 2, 3, 4, 5, 6
    ) as bars
    group by 1, 2, 3, 4, 5
  ),
  kept as (
    insert into rollups (
      tenant, minute, type, source, pointer, events, total, low, high, buckets, counts, transaction_number
    )
    select
      tenant, minute, type, source, pointer, events, total, low, high, buckets, counts, transaction_number
    from totals left join histograms using (tenant, minute, type, source, pointer)
  )
  select count(*) into merged from taken;
  return merged;
end
$body$;

-- The first of the two midnights of a day on which clocks go back at midnight; date_trunc gives the second one.
create function first_midnight(midnight timestamptz, zone text) returns timestamptz
language sql stable parallel safe as $body$
  select midnight - case
    when cast((midnight - interval '1 hour') at time zone zone as date) = cast(midnight at time zone zone as date)
    then interval '1 hour' else interval '0'
  end
$body$;

-- The beginning of the bucket of a time: of PT1M, PT5M, PT15M, PT1H, P1D, P1W (from Monday) and P1M in a time zone. All
-- offsets of today are multiples of 15 minutes.
create function bucket_start(at timestamptz, every text, zone text) returns timestamptz
language sql stable parallel safe as $body$
  select case
    when every = 'PT1M' then date_bin('1 minute', at, '2000-01-01T00:00:00Z')
    when every = 'PT5M' then date_bin('5 minutes', at, '2000-01-01T00:00:00Z')
    when every = 'PT15M' then date_bin('15 minutes', at, '2000-01-01T00:00:00Z')
    when every = 'PT1H' then date_trunc('hour', at, zone)
    when every = 'P1D' then first_midnight(date_trunc('day', at, zone), zone)
    when every = 'P1W' then first_midnight(date_trunc('week', at, zone), zone)
    when every = 'P1M' then first_midnight(date_trunc('month', at, zone), zone)
  end
$body$;

grant execute on function bucket_start, first_midnight to sluice_reader;

-- Tells whether one of several patterns (functions/core/patterns.ts) matches a text; null matches all.
create function matches_pattern(patterns text[], value text) returns boolean
language sql immutable parallel safe as $body$
  select patterns is null or exists (
    select from unnest(patterns) as pattern
    where value = pattern or right(pattern, 1) = '*' and starts_with(value, left(pattern, -1))
  )
$body$;
grant execute on function matches_pattern to sluice_reader;

-- The value of a field that events are grouped by: a text of at most 512 characters, a number or a boolean. Whatever else
-- an event has there, or nothing, is the group null.
create function group_value(value jsonb) returns jsonb
language sql immutable parallel safe as $body$
  select case
    when jsonb_typeof(value) in ('string', 'number', 'boolean') and length(value #>> '{}') <= 512 then value
    else 'null'
  end
$body$;
grant execute on function group_value to sluice_reader;

-- The two functions below answer aggregates in one form: a row for each bucket and group, in their order, and a last row
-- about all of them. `groups` and `measured` are JSON arrays, in the order of the request; the members of `measured` are
-- texts or null. `measures` is a JSON array of [name, number of the field in `pointers` or `paths`, from 1].
-- `condition` is SQL by toSql of functions/core/filter on a row `e` with the parameter $1, which is `bound`. Both set the
-- tenant for the policies and compare it as well, and have the rights of their caller. At most `max_rows` rows are
-- returned, and rows of at most `max_bytes` as JSON texts; `whole` is the number of all of them.
--
-- A percentile is a number of the group itself, as percentile_disc gives it; from rollups, the one that stands for its
-- bucket. Numbers are written without trailing zeros of their fraction, so that both functions write them alike.

-- Aggregates from rollups. Minutes from `from_time` to `to_time` count whole. `fields` is `type`, `source` or both. The
-- last row has `covered` false, and stands alone, where a type in the range lacks a declared field: its events may have
-- it all the same. Relies on rollups_pkey and rollup_deltas_by_minute. The range ends at `reached` where it has more than
-- `max_parts` rollups.
create function aggregate_rollups(
  for_tenant text, from_time timestamptz, to_time timestamptz, every text, zone text, fields text[], pointers text[],
  measures jsonb, condition text, bound text[], allowed_types text[], allowed_sources text[], max_parts integer,
  max_rows integer, max_bytes integer
)
returns table (
  start timestamptz, wall timestamp, groups text, measured text, whole integer, covered boolean, reached timestamptz
)
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  parts text;
  group_by text;
  select_list text;
begin
  perform set_config('app.tenant', for_tenant, true);
  if not fields <@ array['type', 'source'] then
    raise exception 'Rollups have no other fields than type and source' using errcode = '22023';
  end if;
  select least(
    (select r.minute from rollups as r where tenant = for_tenant and minute >= from_time and minute < to_time
      order by r.minute offset max_parts limit 1),
    (select d.minute from rollup_deltas as d where tenant = for_tenant and minute >= from_time and minute < to_time
      order by d.minute offset max_parts limit 1),
    to_time
  ) into reached;
  -- One minute is always read, however many rollups it has.
  reached = greatest(reached, least(from_time + interval '1 minute', to_time));
  parts = format('
    select minute, type, source, pointer, events, total, low, high, buckets, counts
    from (
      select minute, type, source, pointer, events, total, low, high, buckets, counts from rollups
      where tenant = $2 and minute >= $3 and minute < $4 and pointer = any (array_prepend('''', $5))
      union all
      select minute, type, source, pointer, events, total, low, high, buckets, counts from rollup_deltas
      where tenant = $2 and minute >= $3 and minute < $4 and pointer = any (array_prepend('''', $5))
    ) as e
    where (%s) and %s and %s
  ',
    coalesce(condition, 'true'),
    case when allowed_types is null then 'true' else 'matches_pattern($6, e.type)' end,
    case when allowed_sources is null then 'true' else 'matches_pattern($7, e.source)' end);
  if cardinality(pointers) > 0 then
    execute format('
      select not exists (
        select from (select distinct type from (%s) as parts where pointer = '''') as found, unnest($5) as wanted (pointer)
        where not exists (
          select from measures as m
          where (m.type, m.pointer) = (found.type, wanted.pointer) and m.covered_from <= $3
        )
      )
    ', parts)
    into covered using bound, for_tenant, from_time, reached, pointers, allowed_types, allowed_sources;
    if not covered then
      return next;
      return;
    end if;
  end if;
  select coalesce(string_agg(format('to_jsonb(%I)', field), ', ' order by place), '') into group_by
  from unnest(fields) with ordinality as given (field, place);
  select coalesce(string_agg(format(
    case measure ->> 0
      when 'count' then 'cast(coalesce(max(events) filter (where pointer = ($5)[%1$s]), 0) as text)'
      when 'sum' then 'cast(trim_scale(max(total) filter (where pointer = ($5)[%1$s])) as text)'
      when 'avg' then 'cast(trim_scale(max(total / nullif(events, 0)) filter (where pointer = ($5)[%1$s])) as text)'
      when 'min' then 'cast(trim_scale(max(low) filter (where pointer = ($5)[%1$s])) as text)'
      when 'max' then 'cast(trim_scale(max(high) filter (where pointer = ($5)[%1$s])) as text)'
      when 'p50' then 'cast(trim_scale(max(p50) filter (where pointer = ($5)[%1$s])) as text)'
      when 'p95' then 'cast(trim_scale(max(p95) filter (where pointer = ($5)[%1$s])) as text)'
      when 'p99' then 'cast(trim_scale(max(p99) filter (where pointer = ($5)[%1$s])) as text)'
      when 'events' then 'cast(coalesce(max(events) filter (where pointer = ''''), 0) as text)'
    end,
    cast(measure ->> 1 as integer)
  ), ', ' order by place), '') into select_list
  from jsonb_array_elements(measures) with ordinality as given (measure, place);
  return query execute format('
    with placed as materialized (
      select coalesce(bucket_start(minute, $8, $9), $3) as start, jsonb_build_array(%2$s) as groups, parts.*
      from (%1$s) as parts
    ),
    totals as (
      select start, groups, pointer, sum(events) as events, sum(total) as total, min(low) as low, max(high) as high
      from placed group by 1, 2, 3
    ),
    bars as (
      select
        start, groups, pointer, bucket, sum(sum(number)) over (partition by start, groups, pointer order by bucket) as upto,
        sum(sum(number)) over (partition by start, groups, pointer) as whole
      from placed, unnest(buckets, counts) as bar (bucket, number) where pointer <> '''' group by 1, 2, 3, 4
    ),
    quantiles as (
      select
        start, groups, pointer,
        bucket_value(min(bucket) filter (where upto >= ceil(0.5 * whole))) as p50,
        bucket_value(min(bucket) filter (where upto >= ceil(0.95 * whole))) as p95,
        bucket_value(min(bucket) filter (where upto >= ceil(0.99 * whole))) as p99
      from bars group by 1, 2, 3
    ),
    known as (
      select
        start, groups, pointer, events, total, low, high, least(greatest(p50, low), high) as p50,
        least(greatest(p95, low), high) as p95, least(greatest(p99, low), high) as p99
      from totals left join quantiles using (start, groups, pointer)
    ),
    answers as (
      select
        start, groups, cast(groups as text) as groups_text, cast(jsonb_build_array(%3$s) as text) as measured,
        cast(count(*) over () as integer) as whole
      from known group by start, groups having max(events) filter (where pointer = '''') > 0
    ),
    sized as (
      select *, row_number() over arrival as number,
        sum(octet_length(cast(to_json(groups_text) as text)) + octet_length(cast(to_json(measured) as text))) over arrival
          as bytes
      from answers window arrival as (order by start, groups rows unbounded preceding)
    )
    select
      start, start at time zone $9, groups_text, measured, whole, true, cast(null as timestamptz)
    from sized where number <= $10 and bytes <= $11 order by number
  ', parts, group_by, select_list)
  using bound, for_tenant, from_time, reached, pointers, allowed_types, allowed_sources, every, zone, max_rows, max_bytes;
  covered = true;
  return next;
end
$body$;
grant execute on function aggregate_rollups to sluice_reader;

-- The events of a range that a condition holds for, with the bucket, the groups and the numbers of each. It reads slices
-- of the range, oldest first, and ends after a slice when its time is over or it has read `max_events`. The last row says
-- how many events it read, and the time before which it has read all. Relies on events_by_arrival.
create function scan_events(
  for_tenant text, from_time timestamptz, to_time timestamptz, every text, zone text, fields jsonb, paths jsonb,
  condition text, bound text[], allowed_types text[], allowed_sources text[], max_milliseconds integer,
  max_events integer
)
returns table (start timestamptz, groups jsonb, numbers numeric[], scanned integer, reached timestamptz)
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  deadline constant timestamptz = clock_timestamp() + max_milliseconds * interval '1 millisecond';
  field_paths constant text[] = array(
    select cast(array(select jsonb_array_elements_text(field)) as text)
    from jsonb_array_elements(fields) with ordinality as given (field, place)
    where jsonb_typeof(field) = 'array' order by place
  );
  number_paths constant text[] = array(
    select cast(array(select jsonb_array_elements_text(path)) as text)
    from jsonb_array_elements(paths) with ordinality as given (path, place) order by place
  );
  statement text;
  slice integer = 250;
  began timestamptz;
  low timestamptz = from_time;
  high timestamptz;
  counted integer;
  before_high integer;
begin
  perform set_config('app.tenant', for_tenant, true);
  scanned = 0;
  select format('
    select
      coalesce(bucket_start(e.received_at, $5, $6), $9), jsonb_build_array(%s), cast(array[%s] as numeric[]),
      cast(null as integer), cast(null as timestamptz)
    from events as e
    where tenant = $2 and received_at >= $3 and received_at < $4
      and (%s) and %s and %s
  ',
    (
      select string_agg(
        case
          when jsonb_typeof(field) = 'array' then
            format('group_value(e.data #> cast(($7)[%s] as text[]))', path_number)
          when field #>> '{}' in ('type', 'source', 'subject') then
            format('coalesce(to_jsonb(e.%I), ''null'')', field #>> '{}')
        end, ', ' order by place)
      from (
        select field, place, count(*) filter (where jsonb_typeof(field) = 'array') over (order by place) as path_number
        from jsonb_array_elements(fields) with ordinality as given (field, place)
      ) as numbered
    ),
    (
      select string_agg(format(
        'case when jsonb_typeof(e.data #> cast(($8)[%1$s] as text[])) = ''number'' then cast(e.data #> cast(($8)[%1$s] as text[]) as numeric) end',
        place), ', ' order by place)
      from generate_series(1, cardinality(number_paths)) as place
    ),
    coalesce(condition, 'true'),
    -- A function with a query in it is called for each row, so a key without patterns is not asked about them.
    case when allowed_types is null then 'true' else 'matches_pattern($10, e.type)' end,
    case when allowed_sources is null then 'true' else 'matches_pattern($11, e.source)' end
  ) into statement;
  while low < to_time and scanned < max_events and clock_timestamp() < deadline loop
    began = clock_timestamp();
    slice = least(slice, max_events - scanned);
    with edge as (
      select received_at from events where tenant = for_tenant and received_at >= low and received_at < to_time
      order by received_at limit slice + 1
    )
    select count(*), max(received_at), count(*) filter (where received_at < (select max(received_at) from edge))
    into counted, high, before_high from edge;
    if counted <= slice then
      high = to_time;
    elsif high > low then
      counted = before_high;
    else
      -- More events than a slice were received at one instant: they are one slice.
      select count(*) into counted from events where tenant = for_tenant and received_at = low;
      high = low + interval '1 microsecond';
    end if;
    return query execute statement using bound, for_tenant, low, high, every, zone, field_paths, number_paths, from_time,
      allowed_types, allowed_sources;
    scanned = scanned + counted;
    low = high;
    slice = case
      when clock_timestamp() - began < interval '50 milliseconds' then least(slice * 2, 8000)
      when clock_timestamp() - began > interval '300 milliseconds' then greatest(slice / 2, 16)
      else slice
    end;
  end loop;
  start = null;
  groups = null;
  numbers = null;
  reached = low;
  return next;
end
$body$;
grant execute on function scan_events to sluice_reader;

-- Aggregates from the events themselves. A field is `type`, `source`, `subject` or a path into data, a number the value at
-- a path of `paths`. The last row says how many events were read, and the time before which all of them were.
create function aggregate_events(
  for_tenant text, from_time timestamptz, to_time timestamptz, every text, zone text, fields jsonb, paths jsonb,
  measures jsonb, condition text, bound text[], allowed_types text[], allowed_sources text[], max_milliseconds integer,
  max_events integer, max_rows integer, max_bytes integer
)
returns table (
  start timestamptz, wall timestamp, groups text, measured text, whole integer, scanned integer, reached timestamptz
)
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  select_list text;
begin
  perform set_config('app.tenant', for_tenant, true);
  select coalesce(string_agg(format(
    case measure ->> 0
      when 'count' then 'cast(count(numbers[%1$s]) as text)'
      when 'sum' then 'cast(trim_scale(sum(numbers[%1$s])) as text)'
      when 'avg' then 'cast(trim_scale(sum(numbers[%1$s]) / nullif(count(numbers[%1$s]), 0)) as text)'
      when 'min' then 'cast(trim_scale(min(numbers[%1$s])) as text)'
      when 'max' then 'cast(trim_scale(max(numbers[%1$s])) as text)'
      when 'p50' then 'cast(trim_scale(percentile_disc(0.5) within group (order by numbers[%1$s])) as text)'
      when 'p95' then 'cast(trim_scale(percentile_disc(0.95) within group (order by numbers[%1$s])) as text)'
      when 'p99' then 'cast(trim_scale(percentile_disc(0.99) within group (order by numbers[%1$s])) as text)'
      when 'events' then 'cast(count(*) as text)'
    end,
    cast(measure ->> 1 as integer)
  ), ', ' order by place), '') into select_list
  from jsonb_array_elements(measures) with ordinality as given (measure, place);
  return query execute format('
    with scan as materialized (select * from scan_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)),
    answers as (
      select
        start, groups, cast(groups as text) as groups_text, cast(jsonb_build_array(%s) as text) as measured,
        cast(count(*) over () as integer) as whole
      from scan where scanned is null group by start, groups
    ),
    sized as (
      select *, row_number() over arrival as number,
        sum(octet_length(cast(to_json(groups_text) as text)) + octet_length(cast(to_json(measured) as text))) over arrival
          as bytes
      from answers window arrival as (order by start, groups rows unbounded preceding)
    ),
    shown as (
      select start, start at time zone $5, groups_text, measured, whole, cast(null as integer), cast(null as timestamptz)
      from sized where number <= $14 and bytes <= $15 order by number
    )
    select * from shown
    union all
    select null, null, null, null, null, scanned, reached from scan where scanned is not null
  ', select_list)
  using for_tenant, from_time, to_time, every, zone, fields, paths, condition, bound, allowed_types, allowed_sources,
    max_milliseconds, max_events, max_rows, max_bytes;
end
$body$;
grant execute on function aggregate_events to sluice_reader;

-- Compares the rollups of some minutes of one UTC day with the events themselves, and returns the groups that differ, added
-- up by tenant, type and field; no row where all are equal. It is one statement with one snapshot, so writers do not
-- disturb it. Relies on events_by_arrival: it looks up the tenants of the day one after the other, then their events of
-- the range. Of a field it compares the count, the sum, the least and the largest number, and the size of the histogram.
create function check_rollups(from_time timestamptz, to_time timestamptz)
returns table (tenant text, type text, pointer text, differing integer, in_rows bigint, in_rollups bigint)
language plpgsql as $body$
#variable_conflict use_column
declare
  first_of_day constant timestamptz = date_trunc('day', from_time, 'UTC');
  end_of_day constant timestamptz = first_of_day + interval '24 hours';
begin
  return query
  with recursive tenants (tenant) as (
    (
      select tenant from events where received_at >= first_of_day and received_at < end_of_day order by tenant limit 1
    )
    union all
    select (
      select e.tenant from events as e
      where e.tenant > tenants.tenant and e.received_at >= first_of_day and e.received_at < end_of_day
      order by e.tenant limit 1
    )
    from tenants where tenants.tenant is not null
  ),
  stored as (
    select
      e.tenant, date_bin('1 minute', e.received_at, '2000-01-01T00:00:00Z') as minute, e.type, e.source, numbers.pointer,
      count(*) as events, sum(numbers.value) as total, min(numbers.value) as low, max(numbers.value) as high
    from tenants
      join events as e on e.tenant = tenants.tenant and e.received_at >= from_time and e.received_at < to_time
      cross join lateral (
        select '' as pointer, cast(null as numeric) as value
        union all
        select m.pointer, cast(e.data #> m.path as numeric) from measures as m
        where m.type = e.type and m.covered_from <= e.received_at and jsonb_typeof(e.data #> m.path) = 'number'
      ) as numbers
    group by 1, 2, 3, 4, 5
  ),
  parts as (
    select * from rollups as r where r.minute >= from_time and r.minute < to_time
    union all
    select * from rollup_deltas as d where d.minute >= from_time and d.minute < to_time
  ),
  kept as (
    select
      p.tenant, p.minute, p.type, p.source, p.pointer, cast(sum(p.events) as bigint) as events, sum(p.total) as total,
      min(p.low) as low, max(p.high) as high, sum(coalesce((select sum(n) from unnest(p.counts) as n), p.events)) as bars
    from parts as p
    where p.pointer = '' or exists (
      select from measures as m where (m.type, m.pointer) = (p.type, p.pointer) and m.covered_from <= p.minute
    )
    group by 1, 2, 3, 4, 5
    having sum(p.events) <> 0
  )
  select
    tenant, type, pointer, cast(count(*) as integer), cast(coalesce(sum(stored.events), 0) as bigint),
    cast(coalesce(sum(kept.events), 0) as bigint)
  from stored full join kept using (tenant, minute, type, source, pointer)
  where (stored.events, stored.total, stored.low, stored.high, stored.events)
    is distinct from (kept.events, kept.total, kept.low, kept.high, kept.bars)
  group by 1, 2, 3
  order by 1, 2, 3;
end
$body$;

-- Makes the rollups of some minutes again from the events, with the measures of today, and returns the number of events.
-- For an operator, after check_rollups found a difference, or to cover a time before a field was declared. One statement
-- with one snapshot: what a writer stores meanwhile keeps its own deltas.
create function rebuild_rollups(from_time timestamptz, to_time timestamptz) returns bigint
language plpgsql as $body$
declare
  rebuilt bigint;
begin
  perform pg_advisory_xact_lock(7284562134);
  with old as (delete from rollups where minute >= from_time and minute < to_time),
  deltas as (delete from rollup_deltas where minute >= from_time and minute < to_time),
  stored as (
    select tenant, type, source, received_at, array(
      select cast(row(m.pointer, e.data #> m.path) as measured) from measures as m
      where m.type = e.type and jsonb_typeof(e.data #> m.path) = 'number'
    ) as numbers
    from events as e where received_at >= from_time and received_at < to_time
  )
  select sum(append_deltas(added)) into rebuilt
  from (
    select array_agg(cast(row(tenant, type, source, received_at, nullif(numbers, '{}')) as stored_event)) as added
    from stored group by tenant, date_bin('1 minute', received_at, '2000-01-01T00:00:00Z')
  ) as by_minute;
  return coalesce(rebuilt, 0);
end
$body$;
