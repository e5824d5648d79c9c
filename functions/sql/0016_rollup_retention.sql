-- Why: rollups may have a retention too, which is longer than that of events (decision 0039).
-- Locks: new functions only.

-- The time before which the run of a day deletes rollups that are kept for so many days. It is never behind a day of which there
-- are events then that have a retention: rollups outlive rows.
create function rollup_end(kept_days integer, by_day date) returns timestamptz
language sql stable strict as $body$
  select cast(least(
    by_day - kept_days,
    (select min(day) from retention_days where class > 0 and state <> 'dropped' and day + 1 + class > by_day)
  ) as timestamp) at time zone 'UTC'
$body$;

-- The same for now, where a day that is due and not dropped has its rollups too.
create function rollup_end_now(kept_days integer) returns timestamptz
language sql stable as $body$
  select least(
    rollup_end(kept_days, cast(clock_timestamp() at time zone 'UTC' as date)),
    (select cast(min(day) as timestamp) at time zone 'UTC' from retention_days where state not in ('open', 'dropped'))
  )
$body$;

-- Tells whether a tenant has rollups, or deltas, of times before. Relies on rollups_pkey and rollup_deltas_by_minute.
create function has_rollups(of_tenant text, before_time timestamptz) returns boolean
language sql stable as $body$
  select exists (
    select from unnest(array['minute', 'hour', 'day']) as spans (span)
    where exists (
      select from rollups as r where r.tenant = of_tenant and r.span = spans.span and r.minute < before_time
    )
  ) or exists (select from rollup_deltas as d where d.tenant = of_tenant and d.minute < before_time)
$body$;

-- The tenants with rollups whose time is over. Relies on the same: it jumps from one tenant to the next.
create function tenants_with_old_rollups(kept_days integer) returns table (tenant text)
language sql as $body$
  with recursive merged (tenant) as (
    (select tenant from rollups order by tenant limit 1)
    union all
    select (select r.tenant from rollups as r where r.tenant > merged.tenant order by r.tenant limit 1)
    from merged where merged.tenant is not null
  ),
  unmerged (tenant) as (
    (select tenant from rollup_deltas order by tenant limit 1)
    union all
    select (select d.tenant from rollup_deltas as d where d.tenant > unmerged.tenant order by d.tenant limit 1)
    from unmerged where unmerged.tenant is not null
  )
  select known.tenant from (select tenant from merged union select tenant from unmerged) as known
  where known.tenant is not null and has_rollups(known.tenant, rollup_end_now(kept_days))
$body$;

-- Deletes rollups and deltas of a tenant whose time is over, at most so many of either, and returns whether there may be more. From
-- the first of them on, aggregates of these times are made of events. A tenant with a legal hold in force keeps all of its rollups.
create function delete_rollups(of_tenant text, kept_days integer, most integer) returns boolean
language plpgsql as $body$
declare
  before_time constant timestamptz = rollup_end_now(kept_days);
  deleted bigint;
begin
  if exists (select from active_holds() as h where h.tenant = of_tenant) then
    return false;
  end if;
  insert into event_removals as known (tenant, rollups_before) values (of_tenant, before_time)
  on conflict (tenant) do update set rollups_before = greatest(known.rollups_before, excluded.rollups_before);
  with merged as (
    delete from rollups where ctid = any (array(
      select ctid from rollups
      where tenant = of_tenant and span in ('minute', 'hour', 'day') and minute < before_time limit most
    ))
    returning 1
  ),
  unmerged as (
    delete from rollup_deltas where ctid = any (array(
      select ctid from rollup_deltas where tenant = of_tenant and minute < before_time limit most
    ))
    returning 1
  )
  select greatest((select count(*) from merged), (select count(*) from unmerged)) into deleted;
  return deleted = most;
end
$body$;

-- What the retention of rollups will have deleted by a day, null where they are kept for good; and what there is of them. Rows are
-- those that the statistics of PostgreSQL have, null where it never analyzed them; bytes are exact, with indexes.
create function read_rollup_retention(kept_days integer, by_day date, out deleted_before text, out rollups bigint, out bytes bigint)
language sql stable as $body$
  select
    to_char(rollup_end(kept_days, by_day) at time zone 'UTC', 'YYYY-MM-DD'),
    (select cast(nullif(c.reltuples, -1) as bigint) from pg_class as c where c.oid = to_regclass('rollups')),
    pg_total_relation_size(to_regclass('rollups')) + pg_total_relation_size(to_regclass('rollup_deltas'))
$body$;
