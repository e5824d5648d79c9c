-- Why: fields in `data` that the catalog declares (`export const indexed`) find events by an index. An expression index on
-- `data` could not: JSON operators are not leakproof, so behind a policy they are never conditions of an index.
-- Locks: new tables and functions only.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes.

-- The declared fields, as JSON Pointers into `data`; functions/migrate writes them. Events that were received before
-- `covered_from` may lack their values below, so they are scanned. A field that is declared once more has a new number, and
-- so nothing of what was stored before. `has_any` becomes true with the first event that has too many values.
create table indexed_fields (
  number integer generated always as identity primary key,
  type text collate "C" not null,
  pointer text collate "C" not null,
  path text[] not null,
  covered_from timestamptz not null,
  has_any boolean not null default false,
  unique (type, pointer)
);
grant select on indexed_fields to sluice_reader;

-- The values that an event has at a declared field, a row each, partitioned as the events are, event_fields_30d_20261121. A value is a 64-bit hash, which
-- is the same for numbers that are equal (1 and 1.0) and has one length for all texts. So the rows only narrow a search:
-- the condition is checked on the event itself. 0 stands for any value: the event has too many.
create table event_fields (
  value bigint not null,
  received_at timestamptz not null,
  field integer not null,
  retention smallint not null,
  tenant text collate "C" not null,
  id text collate "C" not null,
  source text collate "C" not null
) partition by list (retention);

create table event_fields_7d partition of event_fields for values in (7) partition by range (received_at);
create table event_fields_30d partition of event_fields for values in (30) partition by range (received_at);
create table event_fields_90d partition of event_fields for values in (90) partition by range (received_at);
create table event_fields_400d partition of event_fields for values in (400) partition by range (received_at);
create table event_fields_keep partition of event_fields for values in (0) partition by range (received_at);
create table event_fields_held partition of event_fields for values in (-1);

-- Finds the events of a tenant with a value, in the order of a list. The class is in it, so that a lookup reads no row of the table.
create index event_fields_by_value on event_fields (tenant, field, value, received_at, id, source) include (retention);

alter table event_fields enable row level security;
create policy read_one_tenant on event_fields for select to sluice_reader
  using (tenant = nullif(current_setting('app.tenant', true), ''));
grant select on event_fields to sluice_reader;
do $body$
declare
  class_name text;
begin
  for class_name in select name from retention_classes loop
    execute format('alter table %I enable row level security', 'event_fields_' || class_name);
  end loop;
end
$body$;

-- The hash of a text, number, boolean or null, the same for values that are equal. PostgreSQL keeps it from version to version,
-- because partitions rely on it.
create function field_hash(value jsonb) returns bigint
language sql immutable strict parallel safe as $body$ select jsonb_hash_extended(value, 0) $body$;
grant execute on function field_hash to sluice_reader;

-- Adds to `hashes` those of the values at a path, each once. As in a filter, a key leads through the elements of arrays, and an
-- array counts as its elements. With more than FIELD_MAX_VALUES (functions/core/list-limits.ts) it is 0 alone.
create function field_hashes(value jsonb, path text[], hashes bigint[] default '{}') returns bigint[]
language plpgsql immutable parallel safe as $body$
declare
  max_values constant integer = 100;
  any_value constant bigint[] = '{0}';
  element jsonb;
  hash bigint;
begin
  case coalesce(jsonb_typeof(value), 'missing')
    when 'missing' then
      return hashes;
    when 'object' then
      return case when path = '{}' then hashes else field_hashes(value -> path[1], path[2:], hashes) end;
    when 'array' then
      for element in select * from jsonb_array_elements(value) loop
        hashes = field_hashes(element, path, hashes);
        exit when hashes = any_value;
      end loop;
      return hashes;
    else
      hash = field_hash(value);
      return case
        when path <> '{}' or hash = any (hashes) then hashes
        when cardinality(hashes) = max_values then any_value
        else hashes || hash
      end;
  end case;
end
$body$;

-- Makes the fields of a table, `measures` or `indexed_fields`, exactly these, a JSON array of {type, pointer, path}; returns
-- how many were added or removed. A new one is covered from five minutes later on: a store statement under way may not know
-- it yet, and clocks differ.
create function declare_fields(of_table text, declared jsonb) returns integer
language plpgsql as $body$
declare
  wanted constant text = 'select type, pointer, array(select jsonb_array_elements_text(path)) as path
    from jsonb_to_recordset($1) as given (type text, pointer text, path jsonb)';
  removed integer;
  added integer;
begin
  execute format('delete from %I where (type, pointer) not in (select type, pointer from (%s) as wanted)', of_table, wanted)
  using declared;
  get diagnostics removed = row_count;
  execute format(
    'insert into %I (type, pointer, path, covered_from)
     select type, pointer, path, date_bin(''1 minute'', now() + interval ''6 minutes'', ''2000-01-01T00:00:00Z'')
     from (%s) as wanted
     where (type, pointer) not in (select type, pointer from %1$I)', of_table, wanted)
  using declared;
  get diagnostics added = row_count;
  return removed + added;
end
$body$;

-- The declared field by which a list finds its events: the first of `fields`, a JSON array of {pointer, values}, that all
-- `types` declare. `numbers` is null where there is none, or where the index has nothing of what the page may have. Events
-- before `rest_before` may not be in the index; null: there are none in what the page may have. Relies on events_by_arrival.
create function find_lookup(
  for_tenant text, types text[], fields jsonb, from_time timestamptz, to_time timestamptz, newest_first boolean,
  position_at timestamptz, out numbers integer[], out hashes bigint[], out rest_before timestamptz
)
language plpgsql stable set search_path = pg_catalog, public, pg_temp as $body$
declare
  covered timestamptz;
begin
  select
    array_agg(declared.number order by declared.number), max(declared.covered_from),
    (select array_agg(distinct field_hash(value)) from jsonb_array_elements(wanted.field -> 'values') as value)
      || case when bool_or(declared.has_any) then '{0}' else cast('{}' as bigint[]) end
  into numbers, covered, hashes
  from jsonb_array_elements(fields) with ordinality as wanted (field, place)
    join indexed_fields as declared on declared.type = any (types) and declared.pointer = wanted.field ->> 'pointer'
  group by wanted.field, wanted.place
  having count(*) = cardinality(types)
  order by wanted.place
  limit 1;
  if covered > now() or to_time <= covered or newest_first and position_at <= covered then
    numbers = null;
  elsif numbers is not null then
    perform from events
    where tenant = for_tenant and received_at < covered
      and received_at >= greatest(from_time, case when not newest_first then position_at end, '-infinity')
    limit 1;
    rest_before = case when found then covered end;
  end if;
end
$body$;
grant execute on function find_lookup to sluice_reader;

-- The rows that list_events reads: of `events`; or, by what find_lookup returned, `k`, the keys of the events in their order,
-- and `e`, the events. The rest are the keys of all events. An event may have several of the values.
--
-- Each retention class with events is a stream of its own: PostgreSQL reads its days one after the other, from where the page
-- begins, and merges the classes. Of all classes in one it would read the first row of every day. It puts the conditions of
-- the statement into each stream by itself.
create function list_source(
  numbers integer[], hashes bigint[], rest_before timestamptz, from_time timestamptz, to_time timestamptz, keyset text,
  ordering text
)
returns text
language plpgsql stable set search_path = pg_catalog, public, pg_temp as $body$
begin
  if numbers is null then
    return (
      select format('(%s) as e', string_agg(format(
        '(select * from events as e where e.retention = %s%s)', class, ordering
      ), ' union all '))
      from retention_classes where is_used
    );
  end if;
  return (
  with condition (text) as (
    select 'k.tenant = $5'
      || case when from_time is null then '' else ' and k.received_at >= $8' end
      || case when to_time is null then '' else ' and k.received_at < $9' end
      || replace(keyset, 'e.', 'k.')
  ),
  stream (text) as (
    select format(
      'event_fields as k where %s and k.retention = %s and k.field = %s and k.value = %s', condition.text, class, number, hash
    ) || coalesce(case when rest_before is not null then format(' and k.received_at >= %L', rest_before) end, '')
    from condition, retention_classes, unnest(numbers) as number, unnest(hashes) as hash
    where is_used
    union all
    select format('events as k where %s and k.retention = %s and k.received_at < %L', condition.text, class, rest_before)
    from condition, retention_classes where rest_before is not null and is_used
  )
  select format(
      '(select%s k.received_at, k.id, k.source, k.retention from (%s) as k%s) as k cross join lateral event_at($5, k.retention, k.received_at, k.id, k.source, $8, $9) as e',
      -- By the columns of the order alone: a key has one class.
      case when cardinality(hashes) > 1 then ' distinct on (k.received_at, k.id, k.source)' else '' end,
      string_agg(format('(select k.received_at, k.id, k.source, k.retention from %s%s)', stream.text, ordering), ' union all '),
      ordering
    )
  from stream
  );
end
$body$;
grant execute on function list_source to sluice_reader;

-- The event of a key, in a range for which only some partitions are planned. The limit keeps PostgreSQL from joining the
-- tables in another way than event by event. Relies on events_by_arrival. It has no search path of its own, as event_json.
create function event_at(
  for_tenant text, of_class smallint, at timestamptz, event_id text, event_source text, from_time timestamptz, to_time timestamptz
)
returns setof events
language sql stable rows 1 as $body$
  select * from public.events
  where tenant = for_tenant and retention = of_class and received_at = at and id = event_id and source = event_source
    and received_at >= coalesce(from_time, '-infinity') and received_at < coalesce(to_time, 'infinity')
  limit 1
$body$;
grant execute on function event_at to sluice_reader;
