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

-- The events of a type and source, and the numbers of one of their fields: with the pointer '' a part counts events, with
-- another one it is about the numbers there. `buckets` and `counts` are the histogram: value_bucket of the numbers, ascending,
-- and how many are in each.
create type rollup_part as (
  type text collate "C",
  source text collate "C",
  pointer text collate "C",
  events bigint,
  total numeric,
  low numeric,
  high numeric,
  buckets integer[],
  counts integer[]
);

-- What one block of a store statement added to a minute of `received_at`. Rows are only ever appended, so no writer waits for
-- another one. A row has all parts of its tenant, because each row and its index entry have a price in the write-ahead log
-- whatever they hold (decisions/0028 of docs/).
create table rollup_deltas (
  tenant text collate "C" not null,
  minute timestamptz not null,
  parts rollup_part[] not null,
  transaction_number bigint not null default cast(cast(pg_current_xact_id() as text) as bigint)
);

-- Finds a tenant's deltas of some minutes; also the order in which they are merged.
create index rollup_deltas_by_minute on rollup_deltas (tenant, minute);

-- Merged deltas: one row per group and span, which is a minute, an hour or a day in UTC and begins with `minute`. Each merged
-- delta is in one rollup of each span, so a reader takes whichever span it likes for a time, and the deltas that are not
-- merged yet. `transaction_number` is the highest of the merged ones.
create table rollups (
  span text collate "C" not null check (span in ('minute', 'hour', 'day')),
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
  transaction_number bigint not null,
  primary key (tenant, span, minute, type, source, pointer)
);

alter table rollup_deltas enable row level security;
create policy read_one_tenant on rollup_deltas for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
grant select on rollup_deltas to sluice_reader;
alter table rollups enable row level security;
create policy read_one_tenant on rollups for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
grant select on rollups to sluice_reader;

-- The parts of deltas, with the rights and policies of whoever reads them.
create view delta_parts with (security_invoker = true) as
select
  tenant, minute, type, source, pointer, events, total, low, high, buckets, counts, transaction_number
from rollup_deltas cross join unnest(parts);
grant select on delta_parts to sluice_reader;

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

-- The parts of deltas that are about the numbers of events. Strict: a block without such events starts none of it.
create function number_parts(added stored_event[])
returns table (
  tenant text, minute timestamptz, type text, source text, pointer text, events bigint, total numeric, low numeric, high numeric,
  buckets integer[], counts integer[]
)
language sql immutable strict as $body$
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
  group by 1, 2, 3, 4, 5
$body$;

-- Appends the deltas of events that are stored, and returns the number of the events.
create function append_deltas(added stored_event[]) returns integer
language plpgsql set plan_cache_mode = force_generic_plan as $body$
#variable_conflict use_column
begin
  if added is null then
    return 0;
  end if;
  insert into rollup_deltas (tenant, minute, parts)
  select
    tenant, minute,
    array_agg(cast(row(type, source, pointer, events, total, low, high, buckets, counts) as rollup_part))
  from (
    select
      tenant, date_bin('1 minute', received_at, '2000-01-01T00:00:00Z') as minute, type, source, '' as pointer,
      count(*) as events, null as total, null as low, null as high, null as buckets, null as counts
    from unnest(added) group by 1, 2, 3, 4
    union all
    select * from number_parts(added)
  ) as parts
  group by 1, 2;
  return cardinality(added);
end
$body$;

-- Merges deltas of minutes before `settled`, until these are so many parts, with what was merged before: one row per group and
-- span. Returns the number of merged parts. It is one statement, so a reader sees each event once, and a run that ends early has
-- done nothing; of two runs at the same time one waits for the other. Relies on rollup_deltas_by_minute and rollups_pkey.
create function compact_rollups(settled timestamptz, max_parts integer) returns integer
language plpgsql as $body$
declare
  merged integer;
begin
  -- The number is arbitrary; nothing else in the database uses it.
  perform pg_advisory_xact_lock(7284562134);
  with chosen as (
    select place from (
      select place, sum(size) over (order by tenant, minute, place) - size as before
      from (
        select ctid as place, tenant, minute, cardinality(parts) as size from rollup_deltas where minute < settled
        order by tenant, minute limit max_parts
      ) as next
    ) as summed
    where before < max_parts
  ),
  taken as (
    delete from rollup_deltas where ctid = any (array(select place from chosen)) and minute < settled returning *
  ),
  added as (
    select
      span, tenant, date_trunc(span, minute, 'UTC') as minute, type, source, pointer, events, total, low, high, buckets,
      counts, transaction_number
    from taken cross join unnest(parts) cross join unnest(array['minute', 'hour', 'day']) as span
  ),
  earlier as (
    delete from rollups using (select distinct span, tenant, minute, type, source, pointer from added) as key
    where (rollups.span, rollups.tenant, rollups.minute, rollups.type, rollups.source, rollups.pointer)
        = (key.span, key.tenant, key.minute, key.type, key.source, key.pointer)
    returning rollups.*
  ),
  parts as (select * from added union all select * from earlier),
  totals as (
    select
      span, tenant, minute, type, source, pointer, sum(events) as events, sum(total) as total, min(low) as low,
      max(high) as high, max(transaction_number) as transaction_number
    from parts group by 1, 2, 3, 4, 5, 6
  ),
  histograms as (
    select
      span, tenant, minute, type, source, pointer, array_agg(bucket order by bucket) as buckets,
      array_agg(number order by bucket) as counts
    from (
      select span, tenant, minute, type, source, pointer, bucket, cast(sum(number) as integer) as number
      from parts, unnest(buckets, counts) as bar (bucket, number) group by 1, 2, 3, 4, 5, 6, 7
    ) as bars
    group by 1, 2, 3, 4, 5, 6
  ),
  kept as (
    insert into rollups (
      span, tenant, minute, type, source, pointer, events, total, low, high, buckets, counts, transaction_number
    )
    select
      span, tenant, minute, type, source, pointer, events, total, low, high, buckets, counts, transaction_number
    from totals left join histograms using (span, tenant, minute, type, source, pointer)
  )
  select coalesce(sum(cardinality(parts)), 0) into merged from taken;
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
-- offsets of today are multiples of 15 minutes. Where clocks change by half an hour (Australia/Lord_Howe), the half that is left of an
-- hour, or there twice, is in the bucket of the hour before: date_trunc gives the skipped half a beginning within that one.
create function bucket_start(at timestamptz, every text, zone text) returns timestamptz
language sql stable parallel safe as $body$
  select case
    when every = 'PT1M' then date_bin('1 minute', at, '2000-01-01T00:00:00Z')
    when every = 'PT5M' then date_bin('5 minutes', at, '2000-01-01T00:00:00Z')
    when every = 'PT15M' then date_bin('15 minutes', at, '2000-01-01T00:00:00Z')
    when every = 'PT1H' then date_trunc('hour', date_trunc('hour', at, zone), zone)
    when every = 'P1D' then first_midnight(date_trunc('day', at, zone), zone)
    when every = 'P1W' then first_midnight(date_trunc('week', at, zone), zone)
    when every = 'P1M' then first_midnight(date_trunc('month', at, zone), zone)
  end
$body$;

grant execute on function bucket_start, first_midnight to sluice_reader;

-- The rollups that make up a range of whole minutes, none of them with parts of two buckets: of each bucket its whole days,
-- the whole hours around them, and the minutes that are left. Neighbours are one row. It finds the buckets by steps that are
-- no longer than the shortest one.
create type rollup_range as (span text, low timestamptz, high timestamptz);
create function rollup_ranges(from_time timestamptz, to_time timestamptz, every text, zone text) returns rollup_range[]
language plpgsql stable set plan_cache_mode = force_generic_plan as $body$
begin
  return (
  with starts (low) as (
    select distinct greatest(bucket_start(at, every, zone), from_time)
    from generate_series(from_time, to_time, case every
      when 'PT1M' then interval '1 minute'
      when 'PT5M' then interval '5 minutes'
      when 'PT15M' then interval '15 minutes'
      when 'PT1H' then interval '15 minutes'
      when 'P1D' then interval '12 hours'
      when 'P1W' then interval '144 hours'
      when 'P1M' then interval '600 hours'
      else to_time - from_time
    end) as at
    union
    select greatest(bucket_start(to_time, every, zone), from_time)
  ),
  buckets as (select low, lead(low, 1, to_time) over (order by low) as high from starts where low < to_time),
  wholes as (
    select spans.span, length, range_agg(tstzrange(least(first, last), last)) as ranges
    from buckets
      cross join (
        values ('minute', interval '1 minute'), ('hour', interval '1 hour'), ('day', interval '24 hours')
      ) as spans (span, length)
      cross join lateral (
        select
          date_trunc(spans.span, low + length - interval '1 microsecond', 'UTC') as first,
          date_trunc(spans.span, high, 'UTC') as last
      ) as edges
    group by 1, 2
  ),
  chosen as (
    select wholes.span, unnest(ranges - lag(ranges, 1, '{}') over (order by length desc)) as part from wholes
  )
  select array_agg(cast(row(chosen.span, lower(part), upper(part)) as rollup_range)) from chosen
  );
end
$body$;
grant execute on function rollup_ranges to sluice_reader;

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

-- Aggregates from rollups of whole minutes, hours and days, and from deltas. `from_time` and `to_time` are whole minutes.
-- `fields` is `type`, `source` or both. The last row has `covered` false, and stands alone, where a type in the range lacks a
-- declared field: its events may have it all the same; and where rollups of the range were deleted. Relies on rollups_pkey and
-- rollup_deltas_by_minute. The range ends at `reached` where it has more than `max_parts` rollups.
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
  ranges rollup_range[] = rollup_ranges(from_time, to_time, every, zone);
  parts text;
  group_by text;
  select_list text;
begin
  perform set_config('app.tenant', for_tenant, true);
  if not fields <@ array['type', 'source'] then
    raise exception 'Rollups have no other fields than type and source' using errcode = '22023';
  end if;
  if exists (select from event_removals where tenant = for_tenant and rollups_before > from_time) then
    covered = false;
    reached = from_time;
    return next;
    return;
  end if;
  select least(
    (select part.minute
      from unnest(ranges) as wanted
        cross join lateral (
          select r.minute from rollups as r
          where tenant = for_tenant and r.span = wanted.span and r.minute >= wanted.low and r.minute < wanted.high
          order by r.minute limit max_parts + 1
        ) as part
      order by wanted.low, part.minute offset max_parts limit 1),
    (select d.minute from delta_parts as d where tenant = for_tenant and minute >= from_time and minute < to_time
      order by d.minute offset max_parts limit 1),
    to_time
  ) into reached;
  -- One minute is always read, however many rollups it has.
  reached = greatest(reached, least(from_time + interval '1 minute', to_time));
  if reached < to_time then
    ranges = rollup_ranges(from_time, reached, every, zone);
  end if;
  parts = format('
    select minute, type, source, pointer, events, total, low, high, buckets, counts
    from (
      select part.*
      from unnest($12) as wanted cross join lateral (
        select minute, type, source, pointer, events, total, r.low, r.high, buckets, counts from rollups as r
        where tenant = $2 and r.span = wanted.span and r.minute >= wanted.low and r.minute < wanted.high
          and pointer = any (array_prepend('''', $5))
        -- Without it the plan may read all rollups of the tenant.
        offset 0
      ) as part
      union all
      select minute, type, source, pointer, events, total, low, high, buckets, counts from delta_parts
      where tenant = $2 and minute >= $3 and minute < $4 and pointer = any (array_prepend('''', $5))
    ) as e
    where (%s) and %s and %s
  ',
    coalesce(condition, 'true'),
    case when allowed_types is null then 'true' else 'matches_pattern($6, e.type)' end,
    case when allowed_sources is null then 'true' else 'matches_pattern($7, e.source)' end);
  select coalesce(string_agg(format('to_jsonb(%I)', field), ', ' order by place), '') into group_by
  from unnest(fields) with ordinality as given (field, place);
  select coalesce(string_agg(format(
    case measure ->> 0
      when 'count' then 'cast(coalesce(max(events) filter (where pointer = ($5)[%1$s]), 0) as text)'
      when 'sum' then 'cast(trim_scale(max(total) filter (where pointer = ($5)[%1$s])) as text)'
      when 'avg' then 'cast(trim_scale(max(total / nullif(events, 0)) filter (where pointer = ($5)[%1$s])) as text)'
      when 'min' then 'cast(trim_scale(max(low) filter (where pointer = ($5)[%1$s])) as text)'
      when 'max' then 'cast(trim_scale(max(high) filter (where pointer = ($5)[%1$s])) as text)'
      when 'p50' then
        'cast(trim_scale(max(least(greatest(bucket_value(p50), low), high)) filter (where pointer = ($5)[%1$s])) as text)'
      when 'p95' then
        'cast(trim_scale(max(least(greatest(bucket_value(p95), low), high)) filter (where pointer = ($5)[%1$s])) as text)'
      when 'p99' then
        'cast(trim_scale(max(least(greatest(bucket_value(p99), low), high)) filter (where pointer = ($5)[%1$s])) as text)'
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
    coverage as (
      select not exists (
        select from (select distinct type from placed where pointer = '''') as found, unnest($5) as wanted (pointer)
        where not exists (
          select from measures as m
          where (m.type, m.pointer) = (found.type, wanted.pointer) and m.covered_from <= $3
        )
      ) as covered
    ),
    totals as materialized (
      select
        row_number() over () as place, start, groups, pointer, sum(events) as events, sum(total) as total, min(low) as low,
        max(high) as high
      from placed group by start, groups, pointer
    ),
    bars as (
      -- Doubles hold these whole numbers exactly, and percentile_disc calculates with them as well.
      select place, bucket, sum(cast(sum(number) as double precision)) over (partition by place order by bucket) as upto
      from placed join totals using (start, groups, pointer) cross join unnest(buckets, counts) as bar (bucket, number)
      where pointer <> '''' group by place, bucket
    ),
    quantiles as (
      select
        place,
        min(bucket) filter (where upto >= ceil(0.5 * number)) as p50,
        min(bucket) filter (where upto >= ceil(0.95 * number)) as p95,
        min(bucket) filter (where upto >= ceil(0.99 * number)) as p99
      from bars join (select place, cast(events as double precision) as number from totals) as numbers using (place)
      group by place
    ),
    answers as (
      select
        start, groups, cast(groups as text) as groups_text, cast(jsonb_build_array(%3$s) as text) as measured,
        cast(count(*) over () as integer) as whole
      from totals left join quantiles using (place) group by start, groups having max(events) filter (where pointer = '''') > 0
    ),
    sized as (
      select *, row_number() over arrival as number,
        sum(octet_length(cast(to_json(groups_text) as text)) + octet_length(cast(to_json(measured) as text))) over arrival
          as bytes
      from answers window arrival as (order by start, groups rows unbounded preceding)
    ),
    shown as (
      select start, start at time zone $9, groups_text, measured, whole, covered, cast(null as timestamptz)
      from coverage cross join sized where covered and number <= $10 and bytes <= $11 order by number
    )
    select * from shown
    union all
    select null, null, null, null, null, covered, $4 from coverage
  ', parts, group_by, select_list)
  using bound, for_tenant, from_time, reached, pointers, allowed_types, allowed_sources, every, zone, max_rows, max_bytes,
    ranges;
end
$body$;
grant execute on function aggregate_rollups to sluice_reader;

-- The events of a range that a condition holds for, with the bucket, the groups and the numbers of each. It reads slices
-- of the range, oldest first, and ends after a slice when its time is over or it has read `max_events`. The last row says
-- how many of the events it read the caller may see, and the time before which it has read all. Relies on events_by_arrival.
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
  visible integer = 0;
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
    if allowed_types is null and allowed_sources is null then
      visible = scanned;
    else
      select visible + count(*) into visible from events
      where tenant = for_tenant and received_at >= low and received_at < high
        and matches_pattern(allowed_types, type) and matches_pattern(allowed_sources, source);
    end if;
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
  scanned = visible;
  reached = low;
  return next;
end
$body$;
grant execute on function scan_events to sluice_reader;

-- Aggregates from the events themselves. A field is `type`, `source`, `subject` or a path into data, a number the value at
-- a path of `paths`. The last row says how many events were read, the time before which all of them were, and the time before
-- which retention has dropped events of the tenant, where it is in the range.
create function aggregate_events(
  for_tenant text, from_time timestamptz, to_time timestamptz, every text, zone text, fields jsonb, paths jsonb,
  measures jsonb, condition text, bound text[], allowed_types text[], allowed_sources text[], max_milliseconds integer,
  max_events integer, max_rows integer, max_bytes integer
)
returns table (
  start timestamptz, wall timestamp, groups text, measured text, whole integer, scanned integer, reached timestamptz,
  dropped_before timestamptz
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
      select
        start, start at time zone $5, groups_text, measured, whole, cast(null as integer), cast(null as timestamptz),
        cast(null as timestamptz)
      from sized where number <= $14 and bytes <= $15 order by number
    )
    select * from shown
    union all
    select
      null, null, null, null, null, scanned, reached,
      (select events_before from event_removals where tenant = $1 and events_before > $2)
    from scan where scanned is not null
  ', select_list)
  using for_tenant, from_time, to_time, every, zone, fields, paths, condition, bound, allowed_types, allowed_sources,
    max_milliseconds, max_events, max_rows, max_bytes;
end
$body$;
grant execute on function aggregate_events to sluice_reader;

-- Compares the rollups of some minutes of one UTC day with the events themselves, and those of the hours and of the day that
-- begin in them with their minutes and hours. Returns the groups that differ, added up by span, tenant, type and field; no
-- row where all are equal. `in_rows` is the number in the events, minutes or hours. It is one statement with one snapshot, so
-- writers do not disturb it. Relies on events_by_arrival: it looks up the tenants of the day one after the other, then their
-- events of the range. Of a field it compares the count, the sum, the least and the largest number, and the size of the
-- histogram.
create function check_rollups(from_time timestamptz, to_time timestamptz)
returns table (span text, tenant text, type text, pointer text, differing integer, in_rows bigint, in_rollups bigint)
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
      'minute' as span, e.tenant, date_bin('1 minute', e.received_at, '2000-01-01T00:00:00Z') as minute, e.type, e.source,
      numbers.pointer, count(*) as events, sum(numbers.value) as total, min(numbers.value) as low,
      max(numbers.value) as high, count(*) as bars
    from tenants
      join events as e on e.tenant = tenants.tenant and e.received_at >= from_time and e.received_at < to_time
      cross join lateral (
        select '' as pointer, cast(null as numeric) as value
        union all
        select m.pointer, cast(e.data #> m.path as numeric) from measures as m
        where m.type = e.type and m.covered_from <= e.received_at and jsonb_typeof(e.data #> m.path) = 'number'
      ) as numbers
    group by 1, 2, 3, 4, 5, 6
  ),
  merged as (
    select r.*, coalesce((select sum(n) from unnest(r.counts) as n), r.events) as bars from rollups as r
    where r.minute >= from_time and r.minute < end_of_day
  ),
  wanted as (
    select * from stored
    union all
    select
      coarser.span, m.tenant, date_trunc(coarser.span, m.minute, 'UTC'), m.type, m.source, m.pointer, sum(m.events),
      sum(m.total), min(m.low), max(m.high), sum(m.bars)
    from (values ('hour', 'minute'), ('day', 'hour')) as coarser (span, finer) join merged as m on m.span = coarser.finer
    where date_trunc(coarser.span, m.minute, 'UTC') >= from_time and date_trunc(coarser.span, m.minute, 'UTC') < to_time
    group by 1, 2, 3, 4, 5, 6
  ),
  kept as (
    select
      p.span, p.tenant, p.minute, p.type, p.source, p.pointer, sum(p.events) as events, sum(p.total) as total,
      min(p.low) as low, max(p.high) as high, sum(p.bars) as bars
    from (
      select * from merged where minute < to_time
      union all
      select 'minute', d.*, coalesce((select sum(n) from unnest(d.counts) as n), d.events) from delta_parts as d
      where d.minute >= from_time and d.minute < to_time
    ) as p
    where p.span <> 'minute' or p.pointer = '' or exists (
      select from measures as m where (m.type, m.pointer) = (p.type, p.pointer) and m.covered_from <= p.minute
    )
    group by 1, 2, 3, 4, 5, 6
    having sum(p.events) <> 0
  )
  select
    span, tenant, type, pointer, cast(count(*) as integer), cast(coalesce(sum(wanted.events), 0) as bigint),
    cast(coalesce(sum(kept.events), 0) as bigint)
  from wanted full join kept using (span, tenant, minute, type, source, pointer)
  where (wanted.events, wanted.total, wanted.low, wanted.high, wanted.bars)
    is distinct from (kept.events, kept.total, kept.low, kept.high, kept.bars)
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4;
end
$body$;

-- Makes the rollups of some minutes again from the events, with the measures of today, and returns the number of events.
-- For an operator, after check_rollups found a difference, or to cover a time before a field was declared. The other minutes
-- of these days become deltas again, so that the next merge makes hours and days of all of them. One statement with one
-- snapshot: what a writer stores meanwhile keeps its own deltas. Days of which events were dropped are refused: their rollups
-- are all that is left of them.
create function rebuild_rollups(from_time timestamptz, to_time timestamptz) returns bigint
language plpgsql as $body$
declare
  rebuilt bigint;
begin
  perform pg_advisory_xact_lock(7284562134);
  if exists (
    select from retention_days
    where (detached_at is not null or was_dropped)
      and day >= cast(from_time at time zone 'UTC' as date) and day < to_time at time zone 'UTC'
  ) then
    raise exception 'events of these days were dropped by their retention, so their rollups cannot be made again from events'
      using errcode = '22023';
  end if;
  with old as (
    delete from rollups
    where minute >= date_trunc('day', from_time, 'UTC') and date_trunc('day', minute, 'UTC') < to_time
    returning *
  ),
  others as (
    insert into rollup_deltas (tenant, minute, parts, transaction_number)
    select
      tenant, minute,
      array_agg(cast(row(type, source, pointer, events, total, low, high, buckets, counts) as rollup_part)),
      max(transaction_number)
    from old where span = 'minute' and not (minute >= from_time and minute < to_time) group by 1, 2
  ),
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
