-- Why: the ledger, which says of every accepted event what became of it (decision 0030). Each event has a number of its producer, so
-- each is counted once, however often its message is delivered.
-- Locks: new table and functions only.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes.

-- The deltas of 0001 that are merged: a row for each tenant and producer. `numbers` are those of events that ended as stored, a copy, a
-- conflict, or a discarded dead letter that is deleted. A dead letter with another number is counted by its row.
create table arrivals (
  tenant text collate "C" not null,
  producer text collate "C" not null,
  numbers int8multirange not null,
  unnumbered bigint not null,
  stored bigint not null,
  copies bigint not null,
  conflicts bigint not null,
  discarded bigint not null,
  -- Of the dead letters in `discarded`. One whose message comes again when it is deleted may be stored, and counts there.
  discarded_numbers int8multirange not null default '{}',
  arrived_at timestamptz not null default now(),
  primary key (tenant, producer)
);

-- The sums of a tenant's arrivals. `arrived` is the number of events: of `numbers`, each once, and of the unnumbered ones. A snapshot
-- reads them and not the sets, which have a row for each process of ingest and tenant of some weeks.
create table arrival_totals (
  tenant text collate "C" primary key,
  arrived bigint not null,
  stored bigint not null,
  copies bigint not null,
  conflicts bigint not null,
  discarded bigint not null
);

-- The producers of which a snapshot takes the sets: those that began lately, and some by name.
create index arrivals_by_producer on arrivals (producer);

-- Nobody but the owner has a right on them. Row level security without a policy keeps them empty for others if somebody gets one.
alter table arrivals enable row level security;
alter table arrival_totals enable row level security;

-- Merged or not, in one snapshot: a merge moves each delta in one transaction.
create view all_arrivals with (security_invoker) as
  select tenant, producer, numbers, unnumbered, stored, copies, conflicts, discarded from arrivals
  union all
  select
    tenant, producer, numbers, coalesce(unnumbered, 0), coalesce(stored, 0), coalesce(copies, 0), coalesce(conflicts, 0),
    coalesce(discarded, 0)
  from arrival_deltas;

create function count_gapped_numbers(numbers int8multirange) returns bigint
language sql immutable as $body$
  select coalesce(sum(upper(span) - lower(span)), 0) from unnest(numbers) as span
$body$;

-- Most sets have one range, and a snapshot counts all sets. Without a subquery, so that it becomes a part of the statement that calls it.
create function count_numbers(numbers int8multirange) returns bigint
language sql immutable as $body$
  select case when numbers = int8multirange(range_merge(numbers)) then coalesce(upper(numbers) - lower(numbers), 0)
    else count_gapped_numbers(numbers) end
$body$;

-- Waits for the other calls that count again what arrived of a tenant and producer, each named by both with a space between. All lock
-- in one order, and nothing else behind it. There are few locks, because a server has a place for some thousands.
create function lock_arrivals(names text[]) returns void
language plpgsql as $body$
begin
  perform pg_advisory_xact_lock(728456213, key)
  from (select distinct hashtext(name) & 255 as key from unnest(names) as name order by key) as sorted;
end
$body$;

-- What the deltas add to `arrivals`, and by `arrived` to `arrival_totals`. A number that was there before adds nothing, and takes one
-- from `discarded` if it was counted there and is stored.
create view fresh_arrivals with (security_invoker) as
  select
    tenant, producer, fresh.numbers, unnumbered, fresh.stored, fresh.copies, fresh.conflicts,
    fresh.discarded - count_numbers(stored_numbers * (discarded_before + fresh.discarded_numbers)) as discarded,
    discarded_before + fresh.discarded_numbers - stored_numbers as discarded_numbers,
    unnumbered + case when known.numbers is null then count_numbers(fresh.numbers)
      else count_numbers(known.numbers + fresh.numbers) - count_numbers(known.numbers) end as arrived
  from (
    select
      tenant, producer, range_agg(numbers) as numbers, coalesce(sum(unnumbered), 0) as unnumbered, coalesce(sum(stored), 0) as stored,
      coalesce(sum(copies), 0) as copies, coalesce(sum(conflicts), 0) as conflicts, coalesce(sum(discarded), 0) as discarded,
      coalesce(range_agg(numbers) filter (where stored > 0), '{}') as stored_numbers,
      coalesce(range_agg(numbers) filter (where arrival_deltas.discarded > 0), '{}') as discarded_numbers
    from arrival_deltas group by tenant, producer
  ) as fresh
    left join (select tenant, producer, numbers, discarded_numbers from arrivals) as known using (tenant, producer)
    cross join lateral (select coalesce(known.discarded_numbers, '{}') as discarded_before) as before;

-- Waits for the other calls that change `arrivals`.
create function lock_ledger() returns void
language sql as $body$
  select pg_advisory_xact_lock(7284562135)
$body$;

-- Adds the deltas up. Returns their number.
create function merge_arrivals() returns bigint
language sql as $body$
  select lock_ledger();
  -- Both see the same deltas: they are only added and merged.
  with taken as (
    delete from arrival_deltas returning 1
  ), fresh as materialized (
    select * from fresh_arrivals
  ), merged as (
    insert into arrivals (tenant, producer, numbers, unnumbered, stored, copies, conflicts, discarded, discarded_numbers)
    select tenant, producer, numbers, unnumbered, stored, copies, conflicts, discarded, discarded_numbers from fresh
    on conflict (tenant, producer) do update set
      numbers = arrivals.numbers + excluded.numbers, unnumbered = arrivals.unnumbered + excluded.unnumbered,
      stored = arrivals.stored + excluded.stored, copies = arrivals.copies + excluded.copies,
      conflicts = arrivals.conflicts + excluded.conflicts, discarded = arrivals.discarded + excluded.discarded,
      discarded_numbers = excluded.discarded_numbers, arrived_at = excluded.arrived_at
  ), totalled as (
    insert into arrival_totals (tenant, arrived, stored, copies, conflicts, discarded)
    select tenant, sum(arrived), sum(stored), sum(copies), sum(conflicts), sum(discarded) from fresh group by tenant
    on conflict (tenant) do update set
      arrived = arrival_totals.arrived + excluded.arrived, stored = arrival_totals.stored + excluded.stored,
      copies = arrival_totals.copies + excluded.copies, conflicts = arrival_totals.conflicts + excluded.conflicts,
      discarded = arrival_totals.discarded + excluded.discarded
  )
  select count(*) from taken
$body$;

-- Adds producers of which nothing has arrived since a time to the events without a number of their tenants, whose totals stay. A
-- producer with a dead letter stays, because its event may come again at any time. Returns the number of producers.
create function forget_producers(silent_since timestamptz) returns bigint
language sql as $body$
  select lock_ledger();
  with forgotten as (
    delete from arrivals as a
    where a.arrived_at < silent_since and a.producer <> ''
      and not exists (select from dead_letters as d where d.tenant = a.tenant and d.producer = a.producer)
    returning *
  ), added as (
    insert into arrivals (tenant, producer, numbers, unnumbered, stored, copies, conflicts, discarded)
    select tenant, '', '{}', sum(unnumbered + count_numbers(numbers)), sum(stored), sum(copies), sum(conflicts), sum(discarded)
    from forgotten group by tenant
    on conflict (tenant, producer) do update set
      unnumbered = arrivals.unnumbered + excluded.unnumbered, stored = arrivals.stored + excluded.stored,
      copies = arrivals.copies + excluded.copies, conflicts = arrivals.conflicts + excluded.conflicts,
      discarded = arrivals.discarded + excluded.discarded
  )
  select count(*) from forgotten
$body$;

-- Takes the ledger of all tenants behind `after_tenant`, null for all, at one moment. A page ends behind the tenant with which it
-- has `most_bytes`. Returns these rows:
--   taken          the time, in `content`. A later call has a later time, and sees what the earlier one saw
--   total          the counts of all tenants, and of dead letters that name none: JSON of stored, copies, conflicts, open, replayed,
--                  discarded, and the number of events in them that arrived. On the first page alone
--   tenant         the counts of a tenant; none is named *, although a message may be
--   arrived        numbers of a producer whose events arrived, as core/number-ranges.ts writes them, in one row or more; of the producers
--                  in `asked`, and of those whose id is not below `since`
--   subscriptions  JSON of the tenant's active and disabled subscriptions and their pending deliveries
--   more           the tenant behind which the next page begins
--
-- An event counts once. A dead letter whose number has ended in another way counts there: it was stored when its message came again,
-- or by its replay. Of several dead letters with one number, an open one decides before a replayed one and that before a discarded one.
-- A dead letter without a number counts by its row, but for a replayed one whose key is or was stored.
create function take_ledger(since text, asked text[], after_tenant text, most_bytes integer)
returns table (part text, tenant text, producer text, content text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set jit = off
set plan_cache_mode = force_custom_plan as $body$
#variable_conflict use_column
declare
  row_bytes constant integer = 64;
  bytes bigint = 0;
  last_tenant text;
  found record;
begin
  perform lock_ledger();
  if after_tenant is null then
    perform merge_arrivals();
  end if;
  return query select 'taken', null, null, to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
  for found in
    -- What was added behind the merge counts as well.
    with fresh as materialized (
      select * from fresh_arrivals where after_tenant is null or tenant > after_tenant
    ), numbered as (
      select
        d.tenant, d.producer, d.sequence,
        case when bool_or(d.state = 'open') then 'open' when bool_or(d.state = 'replayed') then 'replayed' else 'discarded' end as state
      from dead_letters as d
      where d.producer is not null and (after_tenant is null or d.tenant > after_tenant)
        and not exists (
          select from arrivals as a where (a.tenant, a.producer) = (d.tenant, d.producer) and a.numbers @> d.sequence
        )
        and not exists (
          select from fresh as f where (f.tenant, f.producer) = (d.tenant, d.producer) and f.numbers @> d.sequence
        )
      group by d.tenant, d.producer, d.sequence
    ), dead as (
      select tenant, state from numbered
      union all
      select coalesce(d.tenant, ''), d.state from dead_letters as d
      where d.producer is null and (after_tenant is null or d.tenant > after_tenant) and (d.state <> 'replayed' or not d.was_stored and not exists (
        select from event_keys as k where (k.tenant, k.id, k.source) = (d.tenant, d.event_id, d.source)
      ))
    ), accounts as (
      select
        tenant, sum(stored) as stored, sum(copies) as copies, sum(conflicts) as conflicts, sum(open) as open,
        sum(replayed) as replayed, sum(discarded) as discarded, sum(arrived) as arrived
      from (
        select tenant, stored, copies, conflicts, 0 as open, 0 as replayed, discarded, arrived
        from arrival_totals where after_tenant is null or tenant > after_tenant
        union all
        select tenant, stored, copies, conflicts, 0, 0, discarded, arrived from fresh
        union all
        select
          tenant, 0, 0, 0, count(*) filter (where state = 'open'), count(*) filter (where state = 'replayed'),
          count(*) filter (where state = 'discarded'), count(*)
        from dead group by tenant
      ) as summand
      group by tenant
    ), ended as (
      select tenant, producer, range_agg(numbers) as numbers
      from (
        select tenant, producer, numbers from arrivals where after_tenant is null or tenant > after_tenant
        union all
        select tenant, producer, numbers from fresh
        union all
        select tenant, producer, int8multirange(int8range(sequence, sequence + 1)) from numbered
      ) as each
      where producer <> '' and (producer >= since or producer = any (asked))
      group by tenant, producer
    )
    select * from (
      select 'total' as part, '*' as tenant, null as producer, json_build_array(
        coalesce(sum(stored), 0), coalesce(sum(copies), 0), coalesce(sum(conflicts), 0), coalesce(sum(open), 0),
        coalesce(sum(replayed), 0), coalesce(sum(discarded), 0), coalesce(sum(arrived), 0)
      )::text as content
      from accounts having after_tenant is null
      union all
      select 'tenant', tenant, null, json_build_array(stored, copies, conflicts, open, replayed, discarded, arrived)::text
      from accounts where tenant not in ('', '*')
      union all
      select 'arrived', tenant, producer, string_agg(
        lower(span) || case when upper(span) - lower(span) > 1 then '-' || upper(span) - 1 else '' end, ',' order by place
      )
      from ended cross join unnest(numbers) with ordinality as each (span, place)
      group by tenant, producer, (place - 1) / 1000
      union all
      select 'subscriptions', tenant, null, json_build_array(
        count(*) filter (where state = 'active'), count(*) filter (where state = 'disabled'), sum((
          select count(*) from deliveries as d where d.subscription_id = s.id and d.state = 'pending'
        ))
      )::text
      from subscriptions as s where after_tenant is null or tenant > after_tenant
      group by tenant
    ) as row
    order by row.part <> 'total', row.tenant
  loop
    if found.part <> 'total' and found.tenant is distinct from last_tenant and bytes > most_bytes then
      return query select 'more', last_tenant, null, null;
      return;
    end if;
    bytes = bytes + row_bytes + octet_length(found.tenant) + coalesce(octet_length(found.producer), 0) + octet_length(found.content);
    if found.part <> 'total' then
      last_tenant = found.tenant;
    end if;
    return query select found.part, found.tenant, found.producer, found.content;
  end loop;
end
$body$;
grant execute on function take_ledger to sluice_writer;
