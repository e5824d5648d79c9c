-- Why: the functions that a filter's SQL condition calls (functions/core/filter/to-sql.ts), one for each comparison that SQL
-- alone cannot express in the way functions/core/filter/predicate.ts does. A property test compares the two.
-- Locks: nothing.
--
-- They are functions of their arguments, and PostgreSQL puts their bodies into the query: that is why none has a search path
-- of its own. Instead each name in a body names its schema. Their condition is a filter over the rows that an index found,
-- because none of them is leakproof.
--
-- The Data API's scanner takes a single colon before a word for a parameter, also inside dollar quotes, and fails on
-- backslashes: outside of quotes this file has neither.

-- The values that are no array, which a value is or its arrays have, however deeply nested in arrays.
create function filter_elements(value jsonb) returns setof jsonb
language sql immutable strict parallel safe rows 10 as $body$
  with recursive element (v) as (
    select value
    union all
    select inner_value
    from element cross join pg_catalog.jsonb_array_elements(
      case when pg_catalog.jsonb_typeof(v) operator(pg_catalog.=) 'array' then v else '[]' end
    ) as inner_value
  )
  select v from element where pg_catalog.jsonb_typeof(v) operator(pg_catalog.<>) 'array'
$body$;
grant execute on function filter_elements to sluice_reader;

-- The objects that a value is, or that its arrays have. Only for an array filter_elements is called.
create function filter_objects(value jsonb) returns setof jsonb
language sql immutable parallel safe as $body$
  select value where pg_catalog.jsonb_typeof(value) operator(pg_catalog.=) 'object'
  union all
  select v from public.filter_elements(value) as v
  where pg_catalog.jsonb_typeof(value) operator(pg_catalog.=) 'array'
    and pg_catalog.jsonb_typeof(v) operator(pg_catalog.=) 'object'
$body$;
grant execute on function filter_objects to sluice_reader;

-- The texts, numbers, booleans and nulls that a value is, or that its arrays have.
create function filter_scalars(value jsonb) returns setof jsonb
language sql immutable parallel safe as $body$
  select value where pg_catalog.jsonb_typeof(value) operator(pg_catalog.<>) all (array['object', 'array'])
  union all
  select v from public.filter_elements(value) as v
  where pg_catalog.jsonb_typeof(value) operator(pg_catalog.=) 'array'
    and pg_catalog.jsonb_typeof(v) operator(pg_catalog.<>) 'object'
$body$;
grant execute on function filter_scalars to sluice_reader;

-- A JSON text as text; null for any other value.
create function filter_text(value jsonb) returns text
language sql immutable parallel safe as $body$
  select case when pg_catalog.jsonb_typeof(value) operator(pg_catalog.=) 'string' then value operator(pg_catalog.#>>) '{}' end
$body$;
grant execute on function filter_text to sluice_reader;

-- A JSON number with all its digits; null for any other value.
create function filter_number(value jsonb) returns numeric
language sql immutable parallel safe as $body$
  select case when pg_catalog.jsonb_typeof(value) operator(pg_catalog.=) 'number' then cast(value as pg_catalog.numeric) end
$body$;
grant execute on function filter_number to sluice_reader;

-- A JSON text that is an address of IPv4 or IPv6; null for any other value. The patterns are those of
-- functions/core/filter/cidr.ts: what they match is what the cast takes, so it cannot fail.
create function filter_address(value jsonb) returns inet
language sql immutable parallel safe as $body$
  select case
    when pg_catalog.jsonb_typeof(value) operator(pg_catalog.<>) 'string' then null
    when value operator(pg_catalog.#>>) '{}' operator(pg_catalog.~)
      '^(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:[.](?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}$'
      or value operator(pg_catalog.#>>) '{}' operator(pg_catalog.~)
      '^(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){1,2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){1,3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){1,4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){1,6}|:(?:(?::[0-9a-fA-F]{1,4}){1,7}|:)|(?:[0-9a-fA-F]{1,4}:){6}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:[.](?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}|(?:[0-9a-fA-F]{1,4}:){1,5}:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:[.](?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}|(?:[0-9a-fA-F]{1,4}:){1,4}:[0-9a-fA-F]{1,4}:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:[.](?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){1,2}:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:[.](?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){1,3}:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:[.](?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){1,4}:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:[.](?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}|:(?::[0-9a-fA-F]{1,4}){0,5}:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:[.](?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3})$'
    then cast(value operator(pg_catalog.#>>) '{}' as pg_catalog.inet)
  end
$body$;
grant execute on function filter_address to sluice_reader;

-- Folds A-Z to a-z and nothing else, which is what collation C knows about case.
create function filter_fold_case(value text) returns text
language sql immutable parallel safe as $body$
  select pg_catalog.lower(value collate pg_catalog."C")
$body$;
grant execute on function filter_fold_case to sluice_reader;

create function filter_ends_with(value text, suffix text) returns boolean
language sql immutable parallel safe as $body$
  select pg_catalog.right(value, pg_catalog.length(suffix)) operator(pg_catalog.=) suffix
$body$;
grant execute on function filter_ends_with to sluice_reader;

-- An extension attribute in the form that headers have; null where the event does not have it.
create function filter_extension(extensions jsonb, name text) returns text
language sql immutable parallel safe as $body$
  select case
    when pg_catalog.jsonb_typeof(extensions operator(pg_catalog.->) name) operator(pg_catalog.=) 'number'
    then cast(pg_catalog.trim_scale(cast(extensions operator(pg_catalog.->) name as pg_catalog.numeric)) as pg_catalog.text)
    else extensions operator(pg_catalog.->>) name
  end
$body$;
grant execute on function filter_extension to sluice_reader;

-- The time of an event as read_event gives it back.
create function filter_time(at timestamptz, sent text) returns text
language sql stable parallel safe as $body$
  select coalesce(sent, pg_catalog.to_char(pg_catalog.timezone('UTC', at), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
$body$;
grant execute on function filter_time to sluice_reader;
