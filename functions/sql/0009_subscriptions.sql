-- Why: subscriptions, whose events become deliveries, which workers send to sinks until these confirm them (decision 0029).
-- Locks: new tables and functions only.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes. Statements
-- that are built have their text in single quotes, as in 0003.
--
-- Each function runs as the owner, because the writer has no right on a table; nobody else has one on the tables of this file.
-- What a request may see or change has the tenant in its predicate.
--
-- The row of a subscription is the lock of all that is done for it. Whoever inserts or changes its deliveries that are pending
-- locks it first, and several of them in the order of their ids, or without waiting. So of two workers one has a subscription
-- at a time, for some milliseconds, and the other one goes on with the rest.

create table subscriptions (
  -- sub_ and 32 characters of 0-9 and a-f, which begin with the time at which it was made.
  id text collate "C" primary key,
  tenant text collate "C" not null,
  name text not null,
  -- JSON texts, which keep the digits of numbers.
  filter text,
  sink text not null,
  -- Patterns of what the key that made it may read; null is everything.
  types text[],
  sources text[],
  delivery_order text collate "C" not null check (delivery_order in ('none', 'subject')),
  schedule text collate "C" not null check (schedule in ('standard', 'doubling')),
  batch integer not null,
  rate double precision,
  timeout_ms integer not null,
  key_id text not null,
  state text collate "C" not null default 'active' check (state in ('active', 'disabled')),
  disabled_reason text collate "C" check (disabled_reason in ('requested', 'sink_ended', 'sink_failing')),
  disabled_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  -- The cursor: the first transaction whose events have not become deliveries, and the place of an event in it behind which
  -- it goes on, where a cursor of the feed was in the middle. A seek raises the generation, so that events match again.
  next_number bigint not null,
  behind_at timestamptz,
  behind_id text collate "C",
  behind_source text collate "C",
  generation integer not null default 1,
  dispatched_at timestamptz not null default '-infinity',
  -- Deliveries that were made, and those of them that were deleted after their end.
  matched bigint not null default 0,
  pruned_delivered bigint not null default 0,
  pruned_skipped bigint not null default 0,
  -- The bucket of the rate, at a time.
  tokens double precision not null default 0,
  tokens_at timestamptz not null default clock_timestamp(),
  claimed_at timestamptz not null default '-infinity',
  -- The circuit: open where open_until is set, which is the time of the next probe; and the delivery that is one.
  open_until timestamptz,
  probe_id text collate "C",
  failures integer not null default 0,
  window_began timestamptz not null default clock_timestamp(),
  window_attempts integer not null default 0,
  window_failures integer not null default 0,
  -- The first failure after the last success, and the last notice about it, in percent of the time.
  failing_since timestamptz,
  noticed_percent integer not null default 0
)
-- The row changes with each claim and result. No index has a column that does, so a change stays on its page.
with (fillfactor = 50);

create index subscriptions_of_tenant on subscriptions (tenant, id);

-- The keys of webhooks, sealed by notify: the key to them is not in this database.
create table subscription_secrets (
  subscription_id text collate "C" not null references subscriptions on delete cascade,
  number integer not null,
  sealed text not null,
  created_at timestamptz not null default clock_timestamp(),
  -- It was rotated, and signs beside the current one until then.
  ends_at timestamptz,
  primary key (subscription_id, number)
);

-- A row for each event that matched a subscription in a generation. A subscription that is removed leaves its rows behind for
-- the daily upkeep: there may be more than one statement can delete.
create sequence delivery_numbers;
create table deliveries (
  -- dlv_ and the MD5 of subscription, generation and event, with its time of receipt: the same event never becomes two, and one with the
  -- key of an event that is no longer retained becomes another.
  id text collate "C" primary key,
  -- In the order of the feed, for one subscription and generation.
  number bigint not null default nextval('delivery_numbers'),
  subscription_id text collate "C" not null,
  event_id text collate "C" not null,
  event_source text collate "C" not null,
  event_type text collate "C" not null,
  -- With the tenant of the subscription, it finds the event.
  event_received_at timestamptz not null,
  -- The subject, where the subscription kept the order of subjects as it matched.
  ordered_by text collate "C",
  -- Another one of its subject goes first.
  is_blocked boolean not null default false,
  -- The message of which it is a part since its first claim; null where it is sent alone.
  batch_id text collate "C",
  state text collate "C" not null default 'pending' check (state in ('pending', 'delivered', 'failed', 'skipped')),
  -- When it is claimable: a claim moves it to the end of the lease, so a lease that ends needs nobody who sees to it.
  due_at timestamptz not null default clock_timestamp(),
  leased_by text collate "C",
  attempts integer not null default 0,
  -- Of the schedule, which a redelivery begins again.
  schedule_attempts integer not null default 0,
  schedule_from timestamptz not null default clock_timestamp(),
  -- Of the last attempt.
  last_at timestamptz,
  code integer,
  error text,
  finished_at timestamptz,
  -- The redelivery that took it last.
  redelivery_id text collate "C"
)
-- Each delivery is changed twice or more, soon after it was made: dead rows at the front of the queue would slow down claims.
with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);

-- The queue: what is claimable of a subscription, by time; and which subscriptions have something pending.
create index deliveries_due on deliveries (subscription_id, due_at, number) where state = 'pending' and not is_blocked;

-- What workers have at the moment, of a subscription: at most a few hundred rows.
create index deliveries_leased on deliveries (subscription_id, due_at) where leased_by is not null;

-- Of a subject the one that goes, and those that wait for it. They have rows of subscriptions with that order alone.
create index deliveries_first on deliveries (subscription_id, ordered_by)
  where state = 'pending' and ordered_by is not null and not is_blocked;
create index deliveries_blocked on deliveries (subscription_id, ordered_by, number) where state = 'pending' and is_blocked;

-- Lists, counts, groups and redeliveries.
create index deliveries_by_state on deliveries (subscription_id, state, number);
create index deliveries_of_event on deliveries (subscription_id, event_id);

-- What was sent together.
create index deliveries_of_batch on deliveries (batch_id) where batch_id is not null;

-- The ones to be deleted. Failed ones are dead letters: they stay until somebody retries them, or their subscription is removed.
create index deliveries_finished on deliveries (finished_at) where state in ('delivered', 'skipped');

-- Each attempt, in a partition for its day, which is dropped with it.
create sequence delivery_attempt_numbers;
create table delivery_attempts (
  sequence bigint not null default nextval('delivery_attempt_numbers'),
  subscription_id text collate "C" not null,
  delivery_id text collate "C" not null,
  event_id text collate "C" not null,
  number integer not null,
  status text collate "C" not null check (status in ('delivered', 'later', 'failed')),
  code integer,
  at timestamptz not null,
  duration_ms integer not null,
  error text,
  response text
) partition by range (at);

create index delivery_attempts_in_order on delivery_attempts (subscription_id, sequence);
create index delivery_attempts_of_event on delivery_attempts (subscription_id, event_id);

-- A day without a partition must not stop deliveries: what an attempt did is written in the same transaction.
create table delivery_attempts_default partition of delivery_attempts default;

-- Jobs that make failed deliveries pending again.
create table redeliveries (
  -- rdl_ and 32 characters of 0-9 and a-f, which begin with the time of the start.
  id text collate "C" primary key,
  subscription_id text collate "C" not null references subscriptions on delete cascade,
  state text collate "C" not null default 'running' check (state in ('running', 'done', 'cancelled')),
  -- The request as JSON text.
  request text not null,
  key_id text not null,
  planned bigint not null,
  taken bigint not null default 0,
  delivered bigint not null default 0,
  failed bigint not null default 0,
  -- Its set: what had failed at the start. It goes on behind the first number.
  after_number bigint not null default 0,
  until_number bigint not null,
  is_taken boolean not null default false,
  created_at timestamptz not null default clock_timestamp(),
  progress_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz
);

create index redeliveries_of_subscription on redeliveries (subscription_id, id);
create index redeliveries_to_take on redeliveries (progress_at) where state = 'running' and not is_taken;

-- Notices about subscriptions that the queue of events has not confirmed, written with what they tell of. They outlive their
-- subscription.
create table subscription_notices (
  -- The id of the event, so that a notice that is sent twice is stored once.
  id text collate "C" primary key,
  tenant text collate "C" not null,
  subscription_id text collate "C" not null,
  name text not null,
  kind text collate "C" not null check (kind in ('failing', 'disabled')),
  failing_since timestamptz not null,
  percent integer,
  at timestamptz not null
);

-- One row: the last wake-up that was planned.
create table planned_wake (
  is_only boolean primary key default true check (is_only),
  at timestamptz not null default '-infinity'
);
insert into planned_wake default values;

-- Nobody but the owner has a right on these tables. Row level security without a policy keeps them empty for others if somebody
-- gets one.
alter table subscriptions enable row level security;
alter table subscription_secrets enable row level security;
alter table deliveries enable row level security;
alter table delivery_attempts enable row level security;
alter table delivery_attempts_default enable row level security;
alter table redeliveries enable row level security;
alter table subscription_notices enable row level security;
alter table planned_wake enable row level security;

-- The texts of an array in JSON; null for anything else.
create function json_texts(value jsonb) returns text[]
language sql immutable set search_path = pg_catalog, public, pg_temp as $body$
  select case when jsonb_typeof(value) = 'array' then array(select jsonb_array_elements_text(value)) end
$body$;

-- A subscription as JSON, without its secrets.
create function subscription_json(s subscriptions) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $body$
  select cast(json_build_object(
    'id', s.id, 'tenant', s.tenant, 'name', s.name, 'filter', s.filter, 'types', s.types, 'sources', s.sources,
    'sink', cast(s.sink as json), 'order', s.delivery_order, 'schedule', s.schedule, 'batch', s.batch, 'rate', s.rate,
    'timeoutMs', s.timeout_ms, 'state', s.state, 'disabledReason', s.disabled_reason,
    'disabledAt', replay_time(s.disabled_at), 'failingSince', replay_time(s.failing_since),
    'openUntil', replay_time(s.open_until), 'keyId', s.key_id, 'createdAt', replay_time(s.created_at),
    'updatedAt', replay_time(s.updated_at)
  ) as text)
$body$;

create function delivery_json(d deliveries) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $body$
  select cast(json_build_object(
    'id', d.id, 'subscriptionId', d.subscription_id, 'eventId', d.event_id, 'eventSource', d.event_source,
    'eventType', d.event_type, 'state', d.state, 'attempts', d.attempts,
    'dueAt', case when d.state = 'pending' then replay_time(d.due_at) end, 'lastAt', replay_time(d.last_at),
    'code', d.code, 'error', d.error
  ) as text)
$body$;

create function redelivery_json(job redeliveries) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $body$
  select cast(json_build_object(
    'id', job.id, 'subscriptionId', job.subscription_id, 'state', job.state, 'request', cast(job.request as json),
    'planned', job.planned, 'taken', job.taken, 'delivered', job.delivered, 'failed', job.failed, 'keyId', job.key_id,
    'createdAt', replay_time(job.created_at), 'finishedAt', replay_time(job.finished_at)
  ) as text)
$body$;

-- The first transaction of a start (Start of functions/core/subscription.ts), and the place of an event in it behind which it
-- begins; null where the start is a cursor that this database cannot follow.
--
-- A start behind everything is behind the last transaction of the tenant below the horizon: what is stored from now on has a
-- higher number, and so has what is being stored. The same holds in a database that was restored from a dump, where numbers go
-- on above those of events. The start at a time is at the first transaction with an event received since then; later days have
-- rows of event_transactions. Relies on event_transactions_in_order, event_transactions_by_day, events_by_arrival and
-- events_by_transaction.
create function subscription_start(
  for_tenant text, start jsonb, out next_number bigint, out behind_at timestamptz, out behind_id text, out behind_source text
)
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  horizon constant bigint = event_horizon();
  place constant jsonb = start -> 'place';
  place_number constant bigint = cast(place ->> 'number' as bigint);
  from_time constant timestamptz = cast(start ->> 'at' as timestamptz);
  from_day constant date = cast(from_time at time zone 'UTC' as date);
begin
  if start ->> 'kind' = 'place' then
    if cast(place ->> 'incarnation' as uuid) <> (select id from incarnation)
      or place_number > 0 and not exists (
        select from event_transactions
        where tenant = for_tenant and transaction_number = place_number
          and microseconds(began_at) = cast(place ->> 'began' as bigint)
        union all
        select from event_ends
        where tenant = for_tenant and transaction_number = place_number
          and microseconds(began_at) = cast(place ->> 'began' as bigint)
      )
      or exists (
        select from event_ends
        where tenant = for_tenant and microseconds(forgotten_at) > cast(place ->> 'forgotten' as bigint)
          and (transaction_number > place_number or transaction_number = place_number and place ->> 'event' is not null)
      )
    then
      return;
    end if;
    if place ->> 'event' is null then
      next_number = place_number + 1;
      return;
    end if;
    next_number = place_number;
    select e.received_at, e.id, e.source into behind_at, behind_id, behind_source
    from events as e
    where e.tenant = for_tenant and e.transaction_number = place_number
      and event_hash(e.id, e.source) = cast(place ->> 'event' as bigint)
    order by e.received_at, e.id, e.source limit 1;
    return;
  end if;
  if start ->> 'kind' = 'time' then
    -- Some transaction with such an event bounds those that have to be looked at.
    select e.transaction_number into next_number from events as e
    where e.tenant = for_tenant and e.received_at >= from_time and e.transaction_number > 0 and e.transaction_number < horizon
    order by e.received_at limit 1;
    select min(number) into next_number
    from (
      select min(e.transaction_number) as number from events as e
      where e.tenant = for_tenant and e.received_at >= from_time
        and e.received_at < (from_day + 1) at time zone 'UTC' and e.transaction_number > 0 and e.transaction_number <= next_number
      union all
      select min(transaction_number) from event_transactions
      where tenant = for_tenant and day > from_day and transaction_number <= next_number
    ) as known;
  end if;
  if next_number is null then
    select coalesce(max(number), 0) + 1 into next_number
    from (
      (
        select transaction_number as number from event_transactions
        where tenant = for_tenant and transaction_number < horizon
        order by transaction_number desc limit 1
      )
      union all
      select transaction_number from event_ends where tenant = for_tenant
    ) as known;
  end if;
end
$body$;

-- Writes a subscription, with its first secret if it has one. A word tells why none was written: `expired`, the start is a cursor that this
-- database cannot follow; `full`, the tenant has `most`. Those of one tenant are made one after another, so none is too many.
create function create_subscription(given jsonb, start jsonb, sealed text, most integer) returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  made subscriptions;
  first record;
begin
  perform pg_advisory_xact_lock(hashtextextended('subscriptions of ' || (given ->> 'tenant'), 0));
  if count_subscriptions(given ->> 'tenant') >= most and read_subscription(given ->> 'tenant', given ->> 'id') is null then
    return 'full';
  end if;
  select * into first from subscription_start(given ->> 'tenant', start);
  if first.next_number is null then
    return 'expired';
  end if;
  insert into subscriptions (
    id, tenant, name, filter, sink, types, sources, delivery_order, schedule, batch, rate, timeout_ms, key_id, next_number,
    behind_at, behind_id, behind_source, tokens
  )
  values (
    given ->> 'id', given ->> 'tenant', given ->> 'name', given ->> 'filter', given ->> 'sink',
    json_texts(given #> '{allowed,types}'), json_texts(given #> '{allowed,sources}'), given ->> 'order', given ->> 'schedule',
    cast(given ->> 'batch' as integer), cast(given ->> 'rate' as double precision), cast(given ->> 'timeoutMs' as integer),
    given ->> 'keyId', first.next_number, first.behind_at, first.behind_id, first.behind_source,
    greatest(cast(given ->> 'rate' as double precision), 1)
  )
  on conflict (id) do nothing returning * into made;
  if made.id is null then
    return read_subscription(given ->> 'tenant', given ->> 'id');
  end if;
  if sealed is not null then
    insert into subscription_secrets (subscription_id, number, sealed) values (made.id, 1, create_subscription.sealed);
  end if;
  return subscription_json(made);
end
$body$;
grant execute on function create_subscription to sluice_writer;

-- Relies on subscriptions_of_tenant, as list_subscriptions does.
create function count_subscriptions(for_tenant text) returns bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select count(*) from subscriptions where tenant = for_tenant
$body$;
grant execute on function count_subscriptions to sluice_writer;

create function read_subscription(for_tenant text, for_id text) returns text
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select subscription_json(s) from subscriptions as s where s.id = for_id and s.tenant = for_tenant
$body$;
grant execute on function read_subscription to sluice_writer;

-- The subscriptions before one, latest first, in pieces; as many as one result holds, and at least one. Where there are more, the
-- last row has nulls.
create function list_subscriptions(for_tenant text, before_id text, most integer, most_bytes integer)
returns table (id text, piece text)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  row_bytes constant integer = 256;
  body text;
  seen integer = 0;
  bytes bigint = 0;
begin
  for id, body in
    select s.id, subscription_json(s) from subscriptions as s
    where s.tenant = for_tenant and (before_id is null or s.id < before_id)
    order by s.id desc limit most + 1
  loop
    seen = seen + 1;
    bytes = bytes + octet_length(cast(to_json(body) as text)) + row_bytes;
    if seen > most or seen > 1 and bytes > most_bytes then
      return query select null, null;
      return;
    end if;
    return query select list_subscriptions.id, cut.piece from cut_text(body) as cut;
  end loop;
end
$body$;
grant execute on function list_subscriptions to sluice_writer;

-- Changes the members that are given; null takes one away. A new sink has not failed. Without an order nothing that matches waits for others
-- any more, and free_deliveries frees the rest; with one, what matches from now on does.
create function change_subscription(for_tenant text, for_id text, changes jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $body$
begin
  perform from subscriptions as s where s.id = for_id and s.tenant = for_tenant for update;
  if not found then
    return null;
  end if;
  update subscriptions as s
  set name = coalesce(changes ->> 'name', s.name),
    filter = case when changes -> 'filter' is null then s.filter else changes ->> 'filter' end,
    types = case when changes -> 'allowed' is null then s.types else json_texts(changes #> '{allowed,types}') end,
    sources = case when changes -> 'allowed' is null then s.sources else json_texts(changes #> '{allowed,sources}') end,
    sink = coalesce(changes ->> 'sink', s.sink),
    delivery_order = coalesce(changes ->> 'order', s.delivery_order),
    schedule = coalesce(changes ->> 'schedule', s.schedule),
    batch = coalesce(cast(changes ->> 'batch' as integer), s.batch),
    rate = case when changes -> 'rate' is null then s.rate else cast(changes ->> 'rate' as double precision) end,
    timeout_ms = coalesce(cast(changes ->> 'timeoutMs' as integer), s.timeout_ms),
    updated_at = clock_timestamp()
  where s.id = for_id;
  if changes -> 'sink' is not null then
    perform close_circuit(for_id);
  end if;
  return read_subscription(for_tenant, for_id);
end
$body$;
grant execute on function change_subscription to sluice_writer;

-- Makes deliveries claimable that wait for what has changed: those that wait for others of their subject, where the subscription has no
-- order; and in an active one those that were tried before a time and are due later, where there is a time. Leases stay. Returns how many; fewer than
-- `most` where none is left. Relies on deliveries_blocked and deliveries_due.
create function free_deliveries(for_tenant text, for_id text, tried_before timestamptz, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $body$
declare
  s subscriptions;
  unblocked integer = 0;
  hastened integer = 0;
begin
  select * into s from subscriptions as known where known.id = for_id and known.tenant = for_tenant for update;
  if s.delivery_order = 'none' then
    update deliveries set is_blocked = false
    where id in (
      select d.id from deliveries as d where d.subscription_id = for_id and d.state = 'pending' and d.is_blocked
      order by d.ordered_by, d.number limit most
    );
    get diagnostics unblocked = row_count;
  end if;
  if s.state = 'active' and tried_before is not null then
    update deliveries set due_at = clock_timestamp()
    where id in (
      select d.id from deliveries as d
      where d.subscription_id = for_id and d.state = 'pending' and not d.is_blocked and d.due_at > clock_timestamp()
        and d.leased_by is null and d.last_at < tried_before
      order by d.due_at, d.number limit most - unblocked
    );
    get diagnostics hastened = row_count;
  end if;
  return unblocked + hastened;
end
$body$;
grant execute on function free_deliveries to sluice_writer;

-- Forgets that a sink has failed.
create function close_circuit(for_id text) returns void
language sql set search_path = pg_catalog, public, pg_temp as $body$
  update subscriptions
  set open_until = null, probe_id = null, failures = 0, window_began = clock_timestamp(), window_attempts = 0,
    window_failures = 0, failing_since = null, noticed_percent = 0
  where id = for_id
$body$;

-- Deletes a subscription with its secrets and redeliveries. Of its deliveries as many as one statement does quickly; nobody sees
-- the rest, which delete_orphaned_deliveries deletes.
create function remove_subscription(for_tenant text, for_id text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
begin
  delete from subscriptions as s where s.id = for_id and s.tenant = for_tenant;
  if not found then
    return false;
  end if;
  perform delete_orphaned_deliveries(5000);
  return true;
end
$body$;
grant execute on function remove_subscription to sluice_writer;

-- Active closes the circuit, and free_deliveries makes what waits due now. Disabled keeps the cursor, and what is pending.
create function set_subscription_state(for_tenant text, for_id text, new_state text) returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $body$
begin
  update subscriptions as s
  set state = new_state, updated_at = clock_timestamp(),
    disabled_reason = case when new_state = 'disabled' then 'requested' end,
    disabled_at = case when new_state = 'disabled' then clock_timestamp() end
  where s.id = for_id and s.tenant = for_tenant and (new_state = 'active' or s.state = 'active');
  if found and new_state = 'active' then
    perform close_circuit(for_id);
  end if;
  return read_subscription(for_tenant, for_id);
end
$body$;
grant execute on function set_subscription_state to sluice_writer;

-- Goes on from another place. Returns whether the subscription is there, and null for it where its start cannot be followed.
create function seek_subscription(for_tenant text, for_id text, start jsonb, out is_there boolean, out subscription text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  first record;
begin
  perform from subscriptions as s where s.id = for_id and s.tenant = for_tenant for update;
  is_there = found;
  if not is_there then
    return;
  end if;
  select * into first from subscription_start(for_tenant, start);
  if first.next_number is null then
    return;
  end if;
  update subscriptions as s
  set next_number = first.next_number, behind_at = first.behind_at, behind_id = first.behind_id,
    behind_source = first.behind_source, generation = s.generation + 1, updated_at = clock_timestamp()
  where s.id = for_id;
  subscription = read_subscription(for_tenant, for_id);
end
$body$;
grant execute on function seek_subscription to sluice_writer;

-- Adds a secret, and ends the others some hours from now. Those that have ended are deleted. Returns null where there is no subscription, and
-- `full` with the time at which the first one ends where `most` sign and would go on signing.
create function add_subscription_secret(for_tenant text, for_id text, new_sealed text, overlap_hours double precision, most integer)
returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  signing integer;
  first_end timestamptz;
begin
  perform from subscriptions as s where s.id = for_id and s.tenant = for_tenant for update;
  if not found then
    return null;
  end if;
  select count(*), min(secret.ends_at) into signing, first_end
  from subscription_secrets as secret
  where secret.subscription_id = for_id and (secret.ends_at is null or secret.ends_at > clock_timestamp());
  if overlap_hours > 0 and signing >= most then
    return 'full ' || replay_time(first_end);
  end if;
  update subscriptions as s set updated_at = clock_timestamp() where s.id = for_id;
  update subscription_secrets
  set ends_at = least(ends_at, clock_timestamp() + overlap_hours * interval '1 hour')
  where subscription_id = for_id;
  insert into subscription_secrets (subscription_id, number, sealed)
  select for_id, coalesce(max(number), 0) + 1, new_sealed from subscription_secrets where subscription_id = for_id;
  delete from subscription_secrets as secret where secret.subscription_id = for_id and secret.ends_at <= clock_timestamp();
  return read_subscription(for_tenant, for_id);
end
$body$;
grant execute on function add_subscription_secret to sluice_writer;

-- The deliveries of a subscription by what became of them. `matched` is counted where they are made, and the others where they
-- are: that it is their sum shows that none was lost. Relies on deliveries_by_state.
create function subscription_ledger(for_tenant text, for_id text)
returns table (matched bigint, delivered bigint, pending bigint, failed bigint, skipped bigint)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select s.matched, s.pruned_delivered + counted.delivered, counted.pending, counted.failed,
    s.pruned_skipped + counted.skipped
  from subscriptions as s cross join lateral (
    select
      count(*) filter (where d.state = 'delivered') as delivered, count(*) filter (where d.state = 'pending') as pending,
      count(*) filter (where d.state = 'failed') as failed, count(*) filter (where d.state = 'skipped') as skipped
    from deliveries as d where d.subscription_id = s.id
  ) as counted
  where s.id = for_id and s.tenant = for_tenant
$body$;
grant execute on function subscription_ledger to sluice_writer;

-- Attempts before one, the last first, as JSON. Relies on delivery_attempts_in_order, and with an event on
-- delivery_attempts_of_event: the plan is made for the values.
create function list_attempts(
  for_tenant text, for_id text, for_status text, for_code integer, for_event text, from_time timestamptz, to_time timestamptz,
  before_number bigint, most integer
)
returns table (place bigint, attempt text)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $body$
begin
  return query
  select a.sequence, cast(json_build_object(
    'deliveryId', a.delivery_id, 'eventId', a.event_id, 'number', a.number, 'status', a.status, 'code', a.code,
    'at', replay_time(a.at), 'durationMs', a.duration_ms, 'error', a.error, 'response', a.response
  ) as text)
  from delivery_attempts as a
  where a.subscription_id = for_id and exists (select from subscriptions as s where s.id = for_id and s.tenant = for_tenant)
    and (for_status is null or a.status = for_status) and (for_code is null or a.code = for_code)
    and (for_event is null or a.event_id = for_event) and (from_time is null or a.at >= from_time)
    and (to_time is null or a.at < to_time) and (before_number is null or a.sequence < before_number)
  order by a.sequence desc limit most;
end
$body$;
grant execute on function list_attempts to sluice_writer;

-- Deliveries before one, the last first, as JSON. Relies on deliveries_by_state, of each state, or on deliveries_of_event: the
-- plan is made for the values.
create function list_deliveries(
  for_tenant text, for_id text, for_state text, for_event text, before_number bigint, most integer
)
returns table (place bigint, delivery text)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $body$
begin
  return query
  select found_row.number, delivery_json(found_row)
  from unnest(array['pending', 'delivered', 'failed', 'skipped']) as wanted (state)
    cross join lateral (
      select * from deliveries as d
      where d.subscription_id = for_id and d.state = wanted.state and (for_event is null or d.event_id = for_event)
        and (before_number is null or d.number < before_number)
      order by d.number desc limit most
    ) as found_row
  where exists (select from subscriptions as s where s.id = for_id and s.tenant = for_tenant)
    and (for_state is null or wanted.state = for_state)
  order by found_row.number desc limit most;
end
$body$;
grant execute on function list_deliveries to sluice_writer;

-- Failed deliveries by the code and the error of their last attempt, the largest groups first. The sample failed last.
create function group_failed_deliveries(for_tenant text, for_id text, most integer) returns table (failure_group text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select cast(json_build_object(
    'code', g.code, 'error', coalesce(g.error, ''), 'count', g.size, 'firstAt', replay_time(g.first_at),
    'lastAt', replay_time(g.last_at), 'sample', cast(delivery_json(d) as json)
  ) as text)
  from (
    select d.code, d.error, count(*) as size, min(d.last_at) as first_at, max(d.last_at) as last_at,
      (array_agg(d.id order by d.last_at desc, d.number desc))[1] as sample
    from deliveries as d join subscriptions as s on s.id = d.subscription_id
    where d.subscription_id = for_id and s.tenant = for_tenant and d.state = 'failed'
    group by d.code, d.error
    order by size desc, d.code, d.error limit most
  ) as g join deliveries as d on d.id = g.sample
  order by g.size desc, g.code, g.error
$body$;
grant execute on function group_failed_deliveries to sluice_writer;

-- The condition on failed deliveries `d` that a redelivery means (FailureSelection), as SQL behind `where`; `condition` is one on
-- the row `e` of their event. Every value is a literal.
create function failed_delivery_test(selection jsonb, condition text) returns text
language plpgsql stable set search_path = pg_catalog, public, pg_temp as $body$
begin
  if not coalesce(is_bound_condition(condition), true) then
    raise exception 'the condition is not one of a filter' using errcode = '42601';
  end if;
  return 'true'
    || case when selection -> 'codes' is null then '' else format(' and d.code = any (cast(%L as integer[]))', json_texts(selection -> 'codes')) end
    || case when selection -> 'from' is null then '' else format(' and d.last_at >= %L', selection ->> 'from') end
    || case when selection -> 'to' is null then '' else format(' and d.last_at < %L', selection ->> 'to') end
    || case when condition is null then '' else
      ' and exists (select from public.events as e where e.tenant = s.tenant and e.received_at = d.event_received_at'
      || ' and e.id = d.event_id and e.source = d.event_source and (' || condition || '))' end;
end
$body$;

-- Counts the failed deliveries of a selection, and shows the first. The first row has the number, and the time before which all of
-- them were tried last.
create function plan_redelivery(
  for_tenant text, for_id text, selection jsonb, condition text, condition_texts text[], samples integer
)
returns table (planned bigint, delivery text, until text)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  matching constant text = ' from public.deliveries as d join public.subscriptions as s on s.id = d.subscription_id'
    || ' where s.id = $2 and s.tenant = $3 and d.state = ''failed'' and ' || failed_delivery_test(selection, condition);
begin
  execute 'select count(*), to_char(coalesce(max(d.last_at) + interval ''1 microsecond'', $4) at time zone ''UTC'','
    || ' ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'')' || matching
    into planned, until using condition_texts, for_id, for_tenant, clock_timestamp();
  return next;
  planned = null;
  until = null;
  for delivery in
    execute 'select public.delivery_json(d)' || matching || ' order by d.number limit $4'
    using condition_texts, for_id, for_tenant, samples
  loop
    return next;
  end loop;
end
$body$;
grant execute on function plan_redelivery to sluice_writer;

-- Writes a redelivery that begins. Its set is fixed: what has failed by now. Returns `full` where `most` of the subscription are running: they are
-- started one after another, so none is too many.
create function start_redelivery(
  for_id text, for_subscription text, for_request text, for_key text, to_do bigint, most integer
)
returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  job redeliveries;
begin
  perform from subscriptions as s where s.id = for_subscription for update;
  if not exists (select from redeliveries as known where known.id = for_id)
    and (select count(*) from redeliveries as known where known.subscription_id = for_subscription and known.state = 'running') >= most
  then
    return 'full';
  end if;
  insert into redeliveries (id, subscription_id, request, key_id, planned, until_number)
  values (for_id, for_subscription, for_request, for_key, to_do, coalesce((
    select max(d.number) from deliveries as d where d.subscription_id = for_subscription and d.state = 'failed'
  ), 0))
  on conflict (id) do nothing returning * into job;
  if job.id is null then
    select * into job from redeliveries where id = for_id;
  end if;
  return redelivery_json(job);
end
$body$;
grant execute on function start_redelivery to sluice_writer;

create function read_redelivery(for_tenant text, for_id text) returns text
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select redelivery_json(job) from redeliveries as job join subscriptions as s on s.id = job.subscription_id
  where job.id = for_id and s.tenant = for_tenant
$body$;
grant execute on function read_redelivery to sluice_writer;

-- The redeliveries before one, latest first, in pieces, as list_subscriptions. Relies on redeliveries_of_subscription.
create function list_redeliveries(for_tenant text, for_subscription text, before_id text, most integer, most_bytes integer)
returns table (id text, piece text)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
declare
  row_bytes constant integer = 256;
  body text;
  seen integer = 0;
  bytes bigint = 0;
begin
  for id, body in
    select job.id, redelivery_json(job) from redeliveries as job join subscriptions as s on s.id = job.subscription_id
    where s.id = for_subscription and s.tenant = for_tenant and (before_id is null or job.id < before_id)
    order by job.id desc limit most + 1
  loop
    seen = seen + 1;
    bytes = bytes + octet_length(cast(to_json(body) as text)) + row_bytes;
    if seen > most or seen > 1 and bytes > most_bytes then
      return query select null, null;
      return;
    end if;
    return query select list_redeliveries.id, cut.piece from cut_text(body) as cut;
  end loop;
end
$body$;
grant execute on function list_redeliveries to sluice_writer;

-- Ends a redelivery. What it has taken stays pending.
create function cancel_redelivery(for_tenant text, for_id text) returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
begin
  perform from subscriptions as s join redeliveries as job on job.subscription_id = s.id
  where job.id = for_id and s.tenant = for_tenant for update of s;
  update redeliveries as job set state = 'cancelled', finished_at = clock_timestamp()
  from subscriptions as s
  where job.id = for_id and s.id = job.subscription_id and s.tenant = for_tenant and job.state = 'running';
  return read_redelivery(for_tenant, for_id);
end
$body$;
grant execute on function cancel_redelivery to sluice_writer;

-- The active subscriptions that have transactions between their cursor and the horizon, those first that have waited longest: a
-- row each with a hash of its filter, and the filter in pieces; as many as one result holds. The last row has the facts: whether a
-- transaction is open, the number of all subscriptions, whether there are more, and whether notices wait to be sent. Relies on
-- event_transactions_in_order.
create function read_due_subscriptions(without_ids text[], most_bytes integer)
returns table (
  id text, version text, piece text, is_open boolean, subscriptions bigint, is_cut boolean, has_notices boolean
)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp set jit = off as $body$
declare
  row_bytes constant integer = 128;
  horizon constant bigint = event_horizon();
  was_open constant boolean = pg_snapshot_xmin(pg_current_snapshot()) < pg_snapshot_xmax(pg_current_snapshot());
  is_full boolean = false;
  bytes bigint = 0;
  body text;
begin
  for id, version, body in
    select s.id, coalesce(md5(s.filter), ''), coalesce(s.filter, '')
    from public.subscriptions as s
    where s.state = 'active' and s.id <> all (without_ids) and exists (
      select from event_transactions as t
      where t.tenant = s.tenant and t.transaction_number >= s.next_number and t.transaction_number < horizon
    )
    order by s.dispatched_at, s.id
  loop
    is_full = bytes > 0 and bytes + octet_length(cast(to_json(body) as text)) + row_bytes > most_bytes;
    exit when is_full;
    bytes = bytes + octet_length(cast(to_json(body) as text)) + row_bytes;
    return query
    select read_due_subscriptions.id, read_due_subscriptions.version, cut.piece, null::boolean, null::bigint, null::boolean,
      null::boolean
    from cut_text(body) as cut;
  end loop;
  return query
  select null, null, null, was_open, (select count(*) from public.subscriptions), is_full,
    exists (select from subscription_notices);
end
$body$;
grant execute on function read_due_subscriptions to sluice_writer;

-- Makes deliveries of the next events of some subscriptions, and moves their cursors, until its time is over. `given` is an
-- array of {id, version, condition, texts}: a filter as for read_feed, and the hash of the filter that it was made of. Of each
-- subscription it looks at transactions with `most_rows` rows at most, and at one at least. The rows of a transaction become
-- deliveries together, by the rule of the feed: of the transactions below the horizon, in the order (transaction, received_at,
-- id, source). A subscription that another worker has is left for later, and so is one that was changed meanwhile.
--
-- A statement that makes deliveries takes longer to plan than to run where events are few. So subscriptions with the same cursor and
-- filter have one together, for as many of them as have `most_rows` rows.
--
-- Returns how many were dispatched, how many deliveries were made, how many subscriptions are not at their end, and whether a
-- transaction is open. It is a transaction too, which holds the horizon: so its time is short.
--
-- Relies on event_transactions_in_order; then on events_by_transaction of the partitions that event_transactions names.
create function dispatch_subscriptions(given jsonb, most_rows integer, milliseconds integer)
returns table (dispatched integer, matched bigint, unfinished integer, is_open boolean)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set jit = off as $body$
declare
  until constant timestamptz = clock_timestamp() + milliseconds * interval '1 millisecond';
  horizon constant bigint = event_horizon();
  was_open constant boolean = pg_snapshot_xmin(pg_current_snapshot()) < pg_snapshot_xmax(pg_current_snapshot());
  alike record;
  made record;
  until_number bigint;
  until_is_last boolean;
  rows_of_one bigint;
  at_once integer;
  owners text[];
  days text;
begin
  dispatched = 0;
  matched = 0;
  unfinished = jsonb_array_length(given);
  is_open = was_open;
  for alike in
    select s.tenant, s.next_number, s.behind_at, s.behind_id, s.behind_source, s.types, s.sources, s.delivery_order, wanted.version,
      wanted.condition, wanted.texts, array_agg(s.id order by wanted.position) as ids
    from (
      select item ->> 'id' as id, item ->> 'version' as version, item ->> 'condition' as condition,
        json_texts(item -> 'texts') as texts, list.position
      from jsonb_array_elements(given) with ordinality as list (item, position)
    ) as wanted join subscriptions as s on s.id = wanted.id
    where s.state = 'active' and coalesce(md5(s.filter), '') = wanted.version
    group by s.tenant, s.next_number, s.behind_at, s.behind_id, s.behind_source, s.types, s.sources, s.delivery_order,
      wanted.version, wanted.condition, wanted.texts
    order by min(wanted.position)
  loop
    exit when dispatched > 0 and clock_timestamp() > until;
    if not coalesce(is_bound_condition(alike.condition), true) then
      raise exception 'the condition is not one of a filter' using errcode = '42601';
    end if;

    with ahead as (
      select t.transaction_number, t.events from event_transactions as t
      where t.tenant = alike.tenant and t.transaction_number >= alike.next_number and t.transaction_number < horizon
      order by t.transaction_number
      limit most_rows + 1
    ),
    each as (
      select transaction_number as number, sum(events) as events, sum(sum(events)) over (order by transaction_number) as total,
        row_number() over (order by transaction_number) as place,
        row_number() over (order by transaction_number desc) = 1 as is_last
      from ahead group by transaction_number
    )
    select number, is_last and (select count(*) from ahead) <= most_rows, total into until_number, until_is_last, rows_of_one
    from each
    where place = 1 or total <= most_rows and not (is_last and (select count(*) from ahead) > most_rows)
    order by number desc limit 1;

    if until_number is null then
      dispatched = dispatched + cardinality(alike.ids);
      unfinished = unfinished - cardinality(alike.ids);
      continue;
    end if;
    select string_agg(
      format('e.received_at >= %L and e.received_at < %L', day || ' 00:00:00+00', day + 1 || ' 00:00:00+00'), ' or '
    ) into days
    from (
      select distinct t.day from event_transactions as t
      where t.tenant = alike.tenant and t.transaction_number between alike.next_number and until_number
    ) as named;

    at_once = greatest(most_rows / greatest(rows_of_one, 1), 1);
    for place in 1 .. cardinality(alike.ids) by at_once loop
      exit when dispatched > 0 and clock_timestamp() > until;
      owners = array(
        select s.id from subscriptions as s
        where s.id = any (alike.ids[place : place + at_once - 1]) and s.state = 'active'
          and coalesce(md5(s.filter), '') = alike.version
          and (s.next_number, s.behind_at, s.behind_id, s.behind_source, s.types, s.sources, s.delivery_order) is not distinct from
            (alike.next_number, alike.behind_at, alike.behind_id, alike.behind_source, alike.types, alike.sources, alike.delivery_order)
        for update skip locked
      );
      continue when owners = '{}';
      for made in
        execute 'with made as (
            insert into public.deliveries (
              id, subscription_id, event_id, event_source, event_type, event_received_at, ordered_by, is_blocked
            )
            select ''dlv_'' || md5(cast(json_build_array(owner, generation, e.source, e.id, microseconds(e.received_at)) as text)),
              owner, e.id, e.source, e.type, e.received_at, '
          || case alike.delivery_order when 'subject' then 'e.subject, e.subject is not null' else 'null, false' end || '
            from (select s.id, s.generation from public.subscriptions as s where s.id = any ($5)) as known (owner, generation)
              cross join public.events as e
            where e.tenant = $2 and e.transaction_number between $3 and $4 and (' || days || ')'
          || case when alike.behind_at is null then ''
               else ' and (e.transaction_number > $3 or (e.received_at, e.id, e.source) > ($6, $7, $8))' end
          || case when alike.types is null then '' else ' and (e.type = any ($9) or e.type ^@ any ($10))' end
          || case when alike.sources is null then '' else ' and (e.source = any ($11) or e.source ^@ any ($12))' end
          || coalesce(' and (' || alike.condition || ')', '')
          || ' order by owner, e.transaction_number, e.received_at, e.id, e.source
            on conflict (id) do nothing
            returning subscription_id, ordered_by
          ),
          of_one as (
            select subscription_id, count(*) as number,
              array_agg(distinct ordered_by) filter (where ordered_by is not null) as subjects
            from made group by 1
          ),
          moved as (
            update public.subscriptions as s
            set next_number = $4 + 1, behind_at = null, behind_id = null, behind_source = null,
              matched = s.matched + coalesce((select number from of_one where subscription_id = s.id), 0),
              dispatched_at = clock_timestamp()
            where s.id = any ($5)
          )
          select * from of_one'
        using alike.texts, alike.tenant, alike.next_number, until_number, owners, alike.behind_at, alike.behind_id,
          alike.behind_source, whole_patterns(alike.types), pattern_beginnings(alike.types), whole_patterns(alike.sources),
          pattern_beginnings(alike.sources)
      loop
        matched = matched + made.number;
        if made.subjects is not null then
          perform unblock_subjects(made.subscription_id, made.subjects);
        end if;
      end loop;
      dispatched = dispatched + cardinality(owners);
      if until_is_last then
        unfinished = unfinished - cardinality(owners);
      end if;
    end loop;
  end loop;
  return next;
end
$body$;
grant execute on function dispatch_subscriptions to sluice_writer;

-- Lets the first pending delivery of some subjects go, where none of the subject is free. Relies on deliveries_first and
-- deliveries_blocked.
create function unblock_subjects(for_subscription text, subjects text[]) returns void
language sql set search_path = pg_catalog, public, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $body$
  update deliveries set is_blocked = false
  where id in (
    select first.id
    from (select distinct unnest(subjects) as subject) as named
      cross join lateral (
        select d.id from deliveries as d
        where d.subscription_id = for_subscription and d.ordered_by = named.subject and d.state = 'pending' and d.is_blocked
        order by d.number limit 1
      ) as first
    where not exists (
      select from deliveries as d
      where d.subscription_id = for_subscription and d.ordered_by = named.subject and d.state = 'pending' and not d.is_blocked
    )
  )
$body$;

-- The subscriptions that have something claimable now or later. It jumps from one to the next in deliveries_due. Without settings of
-- its own, as subscription_tokens, so that it becomes a part of the statement that calls it.
create function waiting_subscriptions() returns setof text
language sql stable as $body$
  with recursive waiting (id) as (
    (
      select d.subscription_id from deliveries as d where d.state = 'pending' and not d.is_blocked
      order by d.subscription_id limit 1
    )
    union all
    select (
      select d.subscription_id from deliveries as d
      where d.state = 'pending' and not d.is_blocked and d.subscription_id > waiting.id
      order by d.subscription_id limit 1
    )
    from waiting where waiting.id is not null
  )
  select id from waiting where id is not null
$body$;

-- The tokens of the rate at a time: a second of it at most, and room for one delivery at least.
create function subscription_tokens(s subscriptions, at timestamptz) returns double precision
language sql immutable as $body$
  select case when s.rate is null then 'infinity' else
    least(greatest(s.rate, 1), s.tokens + s.rate * greatest(extract(epoch from at - s.tokens_at), 0)) + 1e-9 end
$body$;

-- The JSON of events, in the order of their keys; null where one is no longer retained, or the key has a null.
--
-- It is planned at each call, for the days of its events alone: a plan that is kept has, and locks, the partitions of all days.
-- Relies on events_by_arrival.
create function claimed_bodies(tenants text[], times timestamptz[], ids text[], sources text[]) returns text[]
language plpgsql stable set search_path = pg_catalog, public, pg_temp set plan_cache_mode = force_custom_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set max_parallel_workers_per_gather = 0 set jit = off as $body$
declare
  from_time constant timestamptz = (select min(each) from unnest(times) as each);
  to_time constant timestamptz = (select max(each) from unnest(times) as each);
begin
  return array(
    select found.body
    from unnest(tenants, times, ids, sources) with ordinality as named (tenant, received_at, id, source, position)
      left join lateral (
        select event_json(e) as body from events as e
        where e.tenant = named.tenant and e.received_at = named.received_at and e.id = named.id and e.source = named.source
          and e.received_at between from_time and to_time
        limit 1
      ) as found on true
    order by named.position
  );
end
$body$;

-- Claims due deliveries for a worker: `most` of all, at most `most_of_one` or a batch of a subscription over all workers (of `fast` ones
-- `most_of_fast`), and as many as one result holds. Of a subscription no more are leased than its bucket has tokens, and one where the circuit takes a probe. They are
-- chosen in rounds, one of each subscription, in each round those first that had none for longest. Of a subscription the first due
-- come first. A subscription that another worker has just now is left to it. So is one that has no success in its window, for as long
-- as another worker has a lease of it: a sink that does not answer holds one worker, and not all of them.
--
-- Where a subscription has batches, its deliveries become one as they are claimed first: as many as it says, of one claim. A batch stays as it is,
-- with its id: it is claimed as a whole where it begins within these bounds, and is due when one of it is. A delivery that was claimed
-- alone stays alone.
--
-- Returns rows `delivery` with its facts, which have the id of its event; and the text of each event once, with its first delivery, or
-- in rows `event` where it is cut in pieces, as those of a `subscription` may be. A delivery whose event is no longer retained becomes skipped.
--
-- A session keeps the plans of its statements, which join by index, whatever the statistics say: of a table that grows that fast they are
-- too old. The read of the events alone is planned at each call.
-- Relies on deliveries_due, deliveries_leased and deliveries_of_batch.
create function claim_deliveries(
  worker text, most integer, most_of_one integer, lease_seconds integer, probe_seconds integer, most_bytes integer,
  fast text[], most_of_fast integer
)
returns table (part text, id text, facts text, piece text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set max_parallel_workers_per_gather = 0 set jit = off as $body$
declare
  piece_bytes constant integer = 96;
  seen_at constant timestamptz = clock_timestamp();
  locked text[];
  ids text[];
  owners text[];
  parts text[];
  batches text[];
  places bigint[];
  all_facts text[];
  bodies text[];
  sizes bigint[];
begin
  locked = array(
    select s.id
    from waiting_subscriptions() as waiting (id) join subscriptions as s on s.id = waiting.id
    where s.state = 'active' and (s.open_until is null or s.open_until <= seen_at) and subscription_tokens(s, seen_at) >= 1
      and (
        select d.due_at from deliveries as d
        where d.subscription_id = s.id and d.state = 'pending' and not d.is_blocked
        order by d.due_at, d.number limit 1
      ) <= seen_at
      and not (s.window_attempts <= s.window_failures and exists (
        select from deliveries as d
        where d.subscription_id = s.id and d.leased_by is not null and d.leased_by <> worker and d.due_at > seen_at
      ))
    order by s.claimed_at, s.id
    limit most
    for update of s skip locked
  );

  with first as (
    select due.*, s.id as owner, room.size as room, row_number() over (order by due.round, s.claimed_at, s.id) as place
    from subscriptions as s
      cross join lateral (
        select count(*) as number from deliveries as d
        where d.subscription_id = s.id and d.leased_by is not null and d.due_at > seen_at
      ) as leased
      cross join lateral (
        select cast(greatest(least(
          greatest(case when s.id = any (fast) then most_of_fast else most_of_one end, s.batch) - leased.number,
          case when s.open_until is null then most else 1 end,
          floor(subscription_tokens(s, seen_at)),
          -- More than its share, because others may have fewer.
          4 * (1 + most / greatest(cardinality(locked), 1))
        ), 0) as integer) as size
      ) as room
      cross join lateral (
        select d.id, d.number, d.batch_id, row_number() over (order by d.due_at, d.number) as round
        from deliveries as d
        where d.subscription_id = s.id and d.state = 'pending' and not d.is_blocked and d.due_at <= seen_at
        order by d.due_at, d.number
        limit room.size
      ) as due
    where s.id = any (locked)
    order by place limit most
  ),
  -- With its batches, each of which begins within the room.
  member as (
    select place, owner, room, number, first.id from first where batch_id is null
    union all
    select sent.place, owner, room, d.number, d.id
    from (select batch_id, owner, room, min(place) as place from first where batch_id is not null group by 1, 2, 3) as sent
      join deliveries as d on d.batch_id = sent.batch_id and d.state = 'pending' and (d.leased_by is null or d.due_at <= seen_at)
  ),
  of_room as (
    select *, rank() over (order by place) as of_all
    from (select *, rank() over (partition by owner order by place) as of_one from member) as ranked
    where of_one <= room
  )
  select array_agg(of_room.id order by place, number) into ids from of_room where of_all <= most;
  if ids is null then
    return;
  end if;

  with named as (
    select *, row_number() over (of_event order by position) = 1 as is_first
    from (
      select d.*, s.tenant, s.batch, list.position
      from unnest(ids) with ordinality as list (id, position)
        cross join lateral (select * from deliveries as d where d.id = list.id limit 1) as d
        join subscriptions as s on s.id = d.subscription_id
    ) as known
    window of_event as (partition by tenant, event_received_at, event_id, event_source)
  ),
  -- Each event once: the others have a null in its place.
  read as (
    select of_position, array(select body is not null from unnest(of_position) as body) as are_there
    from (
      select claimed_bodies(
        array_agg(case when is_first then tenant end order by position), array_agg(event_received_at order by position),
        array_agg(event_id order by position), array_agg(event_source order by position)
      ) as of_position
      from named
      offset 0
    ) as claimed
  ),
  placed as (
    select *, min(position) filter (where is_there)
      over (partition by tenant, event_received_at, event_id, event_source) as place
    from (select named.*, read.are_there[named.position] as is_there from named cross join (select are_there from read) as read) as found
  ),
  in_order as (
    select *, (row_number() over (partition by subscription_id, is_new order by position) - 1) / batch as of_batch
    from (
      select *, batch > 1 and batch_id is null and attempts = 0 and leased_by is null and place is not null as is_new from placed
    ) as known
  ),
  batched as (
    select *, case when is_new
        then 'dlv_' || md5('batch ' || first_value(in_order.id) over (partition by subscription_id, is_new, of_batch order by position))
        else batch_id end as in_batch
    from in_order
  )
  select array_agg(subscription_id), array_agg(coalesce(batch_id, batched.id)), array_agg(in_batch), array_agg(place),
    array_agg(cast(json_build_object(
      'subscriptionId', subscription_id, 'batchId', in_batch, 'attempt', attempts + 1, 'scheduleAttempt', schedule_attempts + 1,
      'matchedAt', replay_time(schedule_from), 'event', place
    ) as text)), (select of_position from read)
  into owners, parts, batches, places, all_facts, bodies
  from (select * from batched order by position) as batched;

  -- As text in a result. None is more than twice as long there, and the exact length costs as much as all else about an event.
  sizes = array(select coalesce(piece_bytes * (1 + octet_length(body) / 15000) + 2 * octet_length(body), 0) from unnest(bodies) as body);
  if (select sum(size) from unnest(sizes) as size) > most_bytes / 2 then
    sizes = array(
      select coalesce(piece_bytes * (1 + octet_length(body) / 15000) + octet_length(cast(to_json(body) as text)), 0)
      from unnest(bodies) as body
    );
  end if;

  return query
  with whole as (
    select list.*, row_number() over (partition by list.subscription_id order by list.position) = 1 as is_first
    from unnest(ids, owners, parts, batches, all_facts, places, sizes) with ordinality
      as list (id, subscription_id, part_id, batch_id, facts, place, size, position)
    where list.place is not null
  ),
  sized as (
    select *, sum(192 + octet_length(whole.facts) + 2 * coalesce(octet_length(record), 0) + size) over (order by position) as bytes
    from whole left join lateral (
      select cast(json_build_object(
        'id', s.id, 'tenant', s.tenant, 'name', s.name, 'sink', cast(s.sink as json), 'schedule', s.schedule, 'batch', s.batch,
        'timeoutMs', s.timeout_ms, 'failingSince', replay_time(s.failing_since), 'isProbe', s.open_until is not null,
        'secrets', (
          select coalesce(json_agg(json_build_object(
            'number', secret.number, 'sealed', secret.sealed, 'createdAt', replay_time(secret.created_at),
            'until', replay_time(secret.ends_at)
          ) order by secret.number desc), '[]')
          from subscription_secrets as secret
          where secret.subscription_id = s.id and (secret.ends_at is null or secret.ends_at > seen_at)
        )
      ) as text) as record
      from subscriptions as s where s.id = whole.subscription_id and is_first limit 1
    ) as known on true
  ),
  chosen as (
    select *, row_number() over (partition by place order by position) = 1 as is_first_of_event from (
      -- A batch that was sent is of one claim, so it is of one result.
      select *, max(sized.bytes) over of_part as bytes_of_part, min(sized.position) over of_part as begins
      from sized window of_part as (partition by part_id)
    ) as measured
    where bytes_of_part <= most_bytes or begins = (select min(sized.position) from sized)
  ),
  leased as (
    update deliveries as d
    set leased_by = worker, due_at = seen_at + lease_seconds * interval '1 second', batch_id = chosen.batch_id
    from chosen where d.id = chosen.id
    returning d.subscription_id, d.id
  ),
  changed as (
    update subscriptions as s
    set tokens = case when s.rate is null then s.tokens else subscription_tokens(s, seen_at) - of_one.number end,
      tokens_at = seen_at, claimed_at = seen_at,
      probe_id = case when s.open_until is not null then of_one.any_id end,
      open_until = case when s.open_until is not null then seen_at + probe_seconds * interval '1 second' end
    from (select leased.subscription_id, count(*) as number, min(leased.id) as any_id from leased group by 1) as of_one
    where s.id = of_one.subscription_id
  )
  select answer.part, answer.id, answer.facts, cut.text
  from (
    select position, 'subscription' as part, chosen.subscription_id as id, null as facts, record as text from chosen where record is not null
    union all
    select position, 'delivery', chosen.id, chosen.facts,
      -- Each event once, of however many deliveries.
      case when chosen.is_first_of_event and octet_length(bodies[chosen.place]) <= 15000 then bodies[chosen.place] else '' end
    from chosen
    union all
    select position, 'event', cast(chosen.place as text), null, bodies[chosen.place] from chosen
    where chosen.is_first_of_event and octet_length(bodies[chosen.place]) > 15000
  ) as answer cross join lateral (
    select 1 as number, answer.text where octet_length(answer.text) <= 15000
    union all
    select pieces.number, pieces.text from cut_text(answer.text) with ordinality as pieces (text, number)
    where octet_length(answer.text) > 15000
  ) as cut
  order by answer.position, answer.part, cut.number;

  if array_position(places, null) is not null then
    perform end_deliveries(
      array(select list.id from unnest(ids, places) as list (id, place) where list.place is null), 'skipped'
    );
  end if;
end
$body$;
grant execute on function claim_deliveries to sluice_writer;

-- Ends pending deliveries in a state. The rows of their subscriptions are locked.
create function end_deliveries(ids text[], new_state text) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $body$
declare
  ended record;
begin
  for ended in
    with changed as (
      update deliveries as d set state = new_state, leased_by = null, is_blocked = false, finished_at = clock_timestamp()
      where d.id = any (ids) and d.state = 'pending'
      returning d.subscription_id, d.ordered_by, d.redelivery_id
    )
    select subscription_id, array_agg(ordered_by) filter (where ordered_by is not null) as subjects,
      array_agg(redelivery_id) filter (where redelivery_id is not null) as jobs
    from changed group by 1
  loop
    perform unblock_subjects(ended.subscription_id, ended.subjects), count_redelivered('{}', ended.jobs);
  end loop;
end
$body$;

-- Counts ends of deliveries that redeliveries had taken, an item for each, and ends the redeliveries with their last one.
create function count_redelivered(delivered_of text[], failed_of text[]) returns void
language sql set search_path = pg_catalog, public, pg_temp as $body$
  update redeliveries as job
  set delivered = job.delivered + ended.delivered, failed = job.failed + ended.failed,
    state = case when ended.is_last then 'done' else job.state end,
    finished_at = case when ended.is_last then clock_timestamp() else job.finished_at end
  from (
    select known.id, counted.delivered, counted.failed,
      known.state = 'running' and known.is_taken
        and known.delivered + counted.delivered + known.failed + counted.failed >= known.taken as is_last
    from (
      select id, count(*) filter (where is_delivered) as delivered, count(*) filter (where not is_delivered) as failed
      from (
        select unnest(delivered_of) as id, true as is_delivered
        union all
        select unnest(failed_of), false
      ) as item
      group by id
    ) as counted join redeliveries as known on known.id = counted.id
  ) as ended
  where job.id = ended.id
$body$;

-- Writes the results of attempts (AttemptResult), whose leases are still the worker's: an attempt with the number that comes next.
-- Then it judges each circuit by its results, in their order: it opens after `circuit_failures` in a row, or where more than half
-- of `window_min` or more failed in a window; the success of a probe closes it. The events of a batch are one result. A subscription without a success for `disable_hours` is disabled, and one whose sink says that it is no more at once.
--
-- It writes notices: the next of `percents` that is over, each once a time of failing. None is left out where nothing was tried
-- for long, so nobody is disabled without a warning. Returns whether notices wait to be sent, of whichever call: so a call after a lost
-- answer says it too. Relies on deliveries_pkey.
create function settle_deliveries(
  worker text, results jsonb, circuit_failures integer, window_seconds integer, window_min integer, probe_seconds integer,
  disable_hours integer, percents integer[]
)
returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set jit = off as $body$
declare
  seen_at timestamptz;
  ids text[] = array(select distinct item ->> 'subscriptionId' from jsonb_array_elements(results) as item);
  settled record;
  result record;
  s subscriptions;
  share double precision;
  percent integer;
  notice text;
begin
  perform from subscriptions as known where known.id = any (ids) order by known.id for update;
  seen_at = clock_timestamp();
  for settled in
    with given as (
      select row.*
      from rows from (
        jsonb_to_recordset(results) as (
          "deliveryId" text, "subscriptionId" text, number integer, status text, "dueAt" timestamptz, code integer,
          at timestamptz, "durationMs" integer, error text, response text, "isEnded" boolean
        )
      ) with ordinality as row
    ),
    accepted as (
      update deliveries as d
      set state = case given.status when 'later' then 'pending' else given.status end, attempts = given.number,
        schedule_attempts = d.schedule_attempts + 1,
        due_at = case given.status when 'later' then coalesce(given."dueAt", seen_at) else d.due_at end,
        leased_by = null, last_at = given.at, code = given.code, error = given.error,
        finished_at = case when given.status <> 'later' then seen_at end
      from given
      -- By its id alone: what is pending of a subscription may be a million rows.
      where d.id = given."deliveryId" and d.attempts + 1 = given.number
        and (d.subscription_id, d.leased_by, d.state) is not distinct from (given."subscriptionId", worker, 'pending')
        and exists (select from subscriptions as known where known.id = d.subscription_id)
      returning d.id, d.subscription_id, d.event_id, d.ordered_by, d.redelivery_id, d.batch_id, given.*
    ),
    noted as (
      insert into delivery_attempts (
        subscription_id, delivery_id, event_id, number, status, code, at, duration_ms, error, response
      )
      select subscription_id, id, event_id, number, status, code, at, "durationMs", error, response
      from accepted order by ordinality
    ),
    judged as (
      select accepted.*,
        bool_and(status = 'delivered' and accepted.id is distinct from known.probe_id) over (partition by known.id) as is_usual
      from accepted join subscriptions as known on known.id = accepted.subscription_id
    ),
    of_one as (
      select subscription_id, is_usual,
        array_agg(ordered_by) filter (where ordered_by is not null and status <> 'later') as subjects,
        array_agg(redelivery_id) filter (where redelivery_id is not null and status = 'delivered') as delivered_of,
        array_agg(redelivery_id) filter (where redelivery_id is not null and status = 'failed') as failed_of,
        count(distinct coalesce(batch_id, id)) as requests,
        jsonb_agg(jsonb_build_object(
          'id', id, 'status', status, 'batch', batch_id, 'isEnded', "isEnded"
        ) order by ordinality) filter (where not is_usual) as own
      from judged group by subscription_id, is_usual
    ),
    -- Nothing but successes, of which none is a probe: as below, at once.
    usual as (
      update subscriptions as known
      set failures = 0, failing_since = null, noticed_percent = 0,
        window_began = case when is_over then seen_at else known.window_began end,
        window_attempts = case when is_over then 0 else known.window_attempts end + requests,
        window_failures = case when is_over then 0 else known.window_failures end
      from (
        select owner.id, requests, seen_at >= owner.window_began + window_seconds * interval '1 second' as is_over
        from of_one join subscriptions as owner on owner.id = of_one.subscription_id where is_usual
      ) as counted
      where known.id = counted.id
    )
    select * from of_one
    where not is_usual or subjects is not null or delivered_of is not null or failed_of is not null
    order by subscription_id
  loop
    if settled.subjects is not null then
      perform unblock_subjects(settled.subscription_id, settled.subjects);
    end if;
    if settled.delivered_of is not null or settled.failed_of is not null then
      perform count_redelivered(settled.delivered_of, settled.failed_of);
    end if;
    continue when settled.is_usual;
    select * into s from subscriptions as known where known.id = settled.subscription_id;
    for result in
      select min(own.position) as position, own.status, bool_or(own.id = s.probe_id) as is_probe
      from rows from (
        jsonb_to_recordset(settled.own) as (id text, status text, batch text)
      ) with ordinality as own (id, status, batch, position)
      group by own.status, coalesce(own.batch, cast(own.position as text))
      order by 1
    loop
      if seen_at >= s.window_began + window_seconds * interval '1 second' then
        s.window_began = seen_at;
        s.window_attempts = 0;
        s.window_failures = 0;
      end if;
      s.window_attempts = s.window_attempts + 1;
      if result.status = 'delivered' then
        s.failures = 0;
        s.failing_since = null;
        s.noticed_percent = 0;
        if result.is_probe then
          s.open_until = null;
          s.probe_id = null;
          s.window_began = seen_at;
          s.window_attempts = 0;
          s.window_failures = 0;
        end if;
        continue;
      end if;
      s.failures = s.failures + 1;
      s.window_failures = s.window_failures + 1;
      s.failing_since = coalesce(s.failing_since, seen_at);
      if s.failures >= circuit_failures or s.window_attempts >= window_min and s.window_failures * 2 > s.window_attempts then
        s.open_until = coalesce(s.open_until, seen_at + probe_seconds * interval '1 second');
      end if;
    end loop;

    notice = null;
    percent = null;
    if s.state = 'active' and settled.own @> '[{"isEnded": true}]' then
      s.state = 'disabled';
      s.disabled_reason = 'sink_ended';
      notice = 'disabled';
    elsif s.state = 'active' and s.failing_since is not null then
      share = 100 * extract(epoch from seen_at - s.failing_since) / (3600.0 * disable_hours);
      percent = (select min(each) from unnest(percents) as each where each <= share and each > s.noticed_percent);
      if percent is not null then
        s.noticed_percent = percent;
        if percent >= 100 then
          s.state = 'disabled';
          s.disabled_reason = 'sink_failing';
        end if;
        notice = case when percent >= 100 then 'disabled' else 'failing' end;
      end if;
    end if;
    update subscriptions as known
    set failures = s.failures, window_began = s.window_began, window_attempts = s.window_attempts,
      window_failures = s.window_failures, open_until = s.open_until, probe_id = s.probe_id, failing_since = s.failing_since,
      noticed_percent = s.noticed_percent, state = s.state, disabled_reason = s.disabled_reason,
      disabled_at = case when s.state = 'disabled' then coalesce(known.disabled_at, seen_at) end,
      updated_at = case when s.state <> known.state then seen_at else known.updated_at end
    where known.id = s.id;
    if notice is not null then
      insert into subscription_notices (id, tenant, subscription_id, name, kind, failing_since, percent, at)
      values (
        concat(s.id, '-', replay_time(coalesce(s.failing_since, seen_at)), '-', coalesce(cast(percent as text), 'ended')),
        s.tenant, s.id, s.name, notice, coalesce(s.failing_since, seen_at), percent, seen_at
      )
      on conflict (id) do nothing;
    end if;
  end loop;
  return exists (select from subscription_notices);
end
$body$;
grant execute on function settle_deliveries to sluice_writer;

-- Settles and then claims, in one transaction. The first row is `settled`, with whether notices wait to be sent; the others are those of the
-- claim. Nobody waits for a lock behind those of the results: a claim passes subscriptions over that another worker has.
create function settle_and_claim(
  worker text, results jsonb, circuit_failures integer, window_seconds integer, window_min integer, probe_seconds integer,
  disable_hours integer, percents integer[], most integer, most_of_one integer, lease_seconds integer, most_bytes integer,
  fast text[], most_of_fast integer
)
returns table (part text, id text, facts text, piece text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $body$
begin
  part = 'settled';
  facts = settle_deliveries(
    worker, results, circuit_failures, window_seconds, window_min, probe_seconds, disable_hours, percents
  );
  return next;
  return query
  select claimed.part, claimed.id, claimed.facts, claimed.piece
  from claim_deliveries(worker, most, most_of_one, lease_seconds, probe_seconds, most_bytes, fast, most_of_fast) as claimed;
end
$body$;
grant execute on function settle_and_claim to sluice_writer;

-- The notices that wait to be sent, the first first, as JSON. Two workers may read the same one: it is the same event.
create function read_notices(most integer) returns setof text
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select cast(json_build_object(
    'id', n.id, 'tenant', n.tenant, 'subscriptionId', n.subscription_id, 'name', n.name, 'kind', n.kind,
    'failingSince', replay_time(n.failing_since), 'percent', n.percent, 'at', replay_time(n.at)
  ) as text)
  from subscription_notices as n order by n.at, n.id limit most
$body$;
grant execute on function read_notices to sluice_writer;

-- Deletes notices that the queue has confirmed. Returns the ids of those that were there: two workers that have sent one count it once.
create function delete_notices(ids text[]) returns setof text
language sql security definer set search_path = pg_catalog, public, pg_temp as $body$
  delete from subscription_notices as n where n.id = any (ids) returning n.id
$body$;
grant execute on function delete_notices to sluice_writer;

-- Gives back deliveries that were claimed and not tried, with their tokens; a probe may be taken by the next claim.
create function release_deliveries(worker text, ids text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set enable_bitmapscan = off as $body$
declare
  released integer;
begin
  perform from subscriptions as s
  where s.id in (select d.subscription_id from deliveries as d where d.id = any (ids)) order by s.id for update;
  with given_back as (
    update deliveries as d set leased_by = null, due_at = clock_timestamp()
    where d.id = any (ids) and d.leased_by = worker and d.state = 'pending'
    returning d.id, d.subscription_id
  ),
  changed as (
    update subscriptions as s
    set tokens = case when s.rate is null then s.tokens else s.tokens + of_one.number end,
      open_until = case when s.probe_id = any (of_one.ids) then clock_timestamp() else s.open_until end,
      probe_id = case when s.probe_id = any (of_one.ids) then null else s.probe_id end
    from (
      select subscription_id, count(*) as number, array_agg(id) as ids from given_back group by 1
    ) as of_one
    where s.id = of_one.subscription_id
  )
  select count(*) into released from given_back;
  return released;
end
$body$;
grant execute on function release_deliveries to sluice_writer;

-- When the next delivery of an active subscription can be claimed: it is due or its lease ends, the bucket has a token, and the
-- circuit takes a probe. Where workers have as many of one as they may, or one of them has it alone, that is the end of their first
-- lease. A little later than that rather than before: the text has milliseconds.
create function next_delivery_due(most_of_one integer) returns text
language sql stable security definer set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set enable_bitmapscan = off as $body$
  select replay_time(min(greatest(
    case when leased.number >= greatest(most_of_one, s.batch) or leased.number > 0 and s.window_attempts <= s.window_failures
      then leased.first_end else first.due_at end,
    s.open_until,
    case when subscription_tokens(s, clock_timestamp()) < 1
      then clock_timestamp() + (1 - subscription_tokens(s, clock_timestamp())) / s.rate * interval '1 second' end
  )) + interval '999 microseconds')
  from waiting_subscriptions() as waiting (id)
    join subscriptions as s on s.id = waiting.id
    cross join lateral (
      select d.due_at from deliveries as d
      where d.subscription_id = s.id and d.state = 'pending' and not d.is_blocked
      order by d.due_at, d.number limit 1
    ) as first
    cross join lateral (
      select count(*) as number, min(d.due_at) as first_end from deliveries as d
      where d.subscription_id = s.id and d.leased_by is not null and d.due_at > clock_timestamp()
    ) as leased
  where s.state = 'active'
$body$;
grant execute on function next_delivery_due to sluice_writer;

-- Claims the right to send the wake-up of a time: null where one of that time, or of an earlier one that is to come, is sent.
create function plan_wake(wanted timestamptz) returns timestamptz
language sql security definer set search_path = pg_catalog, public, pg_temp as $body$
  update planned_wake set at = wanted where at > wanted or at <= clock_timestamp() returning at
$body$;
grant execute on function plan_wake to sluice_writer;

-- The running redelivery that has waited longest, which has deliveries to take; and whether there are others. Not one of `without_ids`.
create function next_redelivery(without_ids text[]) returns table (id text, others bigint, request text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $body$
  select job.id, count(*) over () - 1, job.request from redeliveries as job
  where job.state = 'running' and not job.is_taken and job.id <> all (without_ids)
  order by job.progress_at, job.id limit 1
$body$;
grant execute on function next_redelivery to sluice_writer;

-- Makes the next failed deliveries of a redelivery pending, in the order of their numbers, with their schedule at its beginning. Those
-- of a batch are taken together. A part of one leaves it, and goes alone: under the id of the batch its sink could take it for the rest.
-- It looks at the clock, so that a selection that matches nothing ends on time as well. Returns how many, and whether it has taken
-- all. Relies on deliveries_by_state.
create function take_failed_deliveries(
  for_id text, condition text, condition_texts text[], most integer, milliseconds integer
)
returns table (taken bigint, is_at_end boolean)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off as $body$
declare
  clock_every constant integer = 64;
  deadline constant timestamptz = clock_timestamp() + milliseconds * interval '1 millisecond';
  job redeliveries;
  selection jsonb;
  ids text[] = '{}';
  subjects text[];
  seen integer = 0;
  candidate record;
  in_batches text[] = '{}';
  others text[];
begin
  perform from subscriptions as s join redeliveries as known on known.subscription_id = s.id
  where known.id = for_id for update of s;
  select * into job from redeliveries as known
  where known.id = for_id and known.state = 'running' and not known.is_taken for update;
  taken = 0;
  is_at_end = true;
  if not found then
    return next;
    return;
  end if;
  selection = cast(job.request as jsonb);
  most = least(most, cast(selection ->> 'limit' as bigint) - job.taken);
  for candidate in
    execute 'select d.id, d.number, d.batch_id, (' || failed_delivery_test(selection, condition) || ') as is_wanted
      from public.subscriptions as s join public.deliveries as d on d.subscription_id = s.id
      where s.id = $2 and d.state = ''failed'' and d.number > $3 and d.number <= $4 and d.last_at <= $5
      order by d.number'
    using condition_texts, job.subscription_id, job.after_number, job.until_number, job.created_at
  loop
    if cardinality(ids) >= most or seen % clock_every = clock_every - 1 and clock_timestamp() > deadline then
      is_at_end = false;
      exit;
    end if;
    seen = seen + 1;
    job.after_number = candidate.number;
    if candidate.is_wanted then
      ids = ids || candidate.id;
      if candidate.batch_id is not null and candidate.batch_id <> all (in_batches) then
        in_batches = in_batches || candidate.batch_id;
      end if;
    end if;
  end loop;
  if in_batches <> '{}' then
    execute 'select array_agg(d.id)
      from public.subscriptions as s join public.deliveries as d on d.subscription_id = s.id
      where d.batch_id = any ($6) and s.id = $2 and d.state = ''failed'' and d.number > $3 and d.number <= $4
        and d.last_at <= $5 and ' || failed_delivery_test(selection, condition)
    into others
    using condition_texts, job.subscription_id, job.after_number, job.until_number, job.created_at, in_batches;
    if job.taken + cardinality(ids || others) <= coalesce(cast(selection ->> 'limit' as bigint), 9223372036854775807) then
      ids = ids || others;
    end if;
  end if;
  is_at_end = is_at_end or coalesce(cast(selection ->> 'limit' as bigint) <= job.taken + cardinality(ids), false);

  with changed as (
    update deliveries as d
    set state = 'pending', due_at = clock_timestamp(), schedule_attempts = 0, schedule_from = clock_timestamp(),
      finished_at = null, redelivery_id = for_id, is_blocked = d.ordered_by is not null,
      batch_id = case when not exists (
        select from deliveries as rest where rest.batch_id = d.batch_id and rest.state = 'failed' and rest.id <> all (ids)
      ) then d.batch_id end
    where d.id = any (ids) and d.state = 'failed'
    returning d.ordered_by
  )
  select count(*), array_agg(distinct ordered_by) filter (where ordered_by is not null) into taken, subjects from changed;
  perform unblock_subjects(job.subscription_id, subjects);
  update redeliveries as known
  set after_number = job.after_number, taken = known.taken + take_failed_deliveries.taken, is_taken = take_failed_deliveries.is_at_end,
    progress_at = clock_timestamp()
  where known.id = for_id;
  -- It ends with the last of what it has taken, which may be before now, or nothing.
  update redeliveries as known set state = 'done', finished_at = clock_timestamp()
  where known.id = for_id and known.is_taken and known.delivered + known.failed >= known.taken;
  return next;
end
$body$;
grant execute on function take_failed_deliveries to sluice_writer;

-- Deletes deliveries that were delivered or skipped before a time, and counts them in the row of their subscription. Returns how many.
-- Relies on deliveries_finished.
create function prune_deliveries(finished_before timestamptz, most integer) returns bigint
language plpgsql set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $body$
declare
  ids text[] = array(
    select d.id from deliveries as d
    where d.state in ('delivered', 'skipped') and d.finished_at < finished_before
    order by d.finished_at limit most
  );
  pruned bigint;
begin
  perform from subscriptions as s
  where s.id in (select d.subscription_id from deliveries as d where d.id = any (ids)) order by s.id for update;
  with deleted as (
    delete from deliveries as d where d.id = any (ids) returning d.subscription_id, d.state
  ),
  counted as (
    update subscriptions as s
    set pruned_delivered = s.pruned_delivered + of_one.delivered, pruned_skipped = s.pruned_skipped + of_one.skipped
    from (
      select subscription_id, count(*) filter (where state = 'delivered') as delivered,
        count(*) filter (where state = 'skipped') as skipped
      from deleted group by 1
    ) as of_one
    where s.id = of_one.subscription_id
  )
  select count(*) into pruned from deleted;
  return pruned;
end
$body$;

-- Deletes deliveries of subscriptions that were removed. Returns how many. It jumps from subscription to subscription in
-- deliveries_by_state.
create function delete_orphaned_deliveries(most integer) returns bigint
language plpgsql set search_path = pg_catalog, public, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $body$
declare
  deleted bigint;
begin
  with recursive known (id) as (
    (select d.subscription_id from deliveries as d order by d.subscription_id limit 1)
    union all
    select (
      select d.subscription_id from deliveries as d where d.subscription_id > known.id order by d.subscription_id limit 1
    )
    from known where known.id is not null
  )
  delete from deliveries as d
  where d.id in (
    select orphan.id
    from known join deliveries as orphan on orphan.subscription_id = known.id
    where not exists (select from subscriptions as s where s.id = known.id)
    limit most
  );
  get diagnostics deleted = row_count;
  return deleted;
end
$body$;

-- Makes the missing partitions of attempts, and returns the number of days that had none. A day of which the default partition has
-- rows stays without one. A partition is made apart and then attached, because that lets attempts be written meanwhile.
create function ensure_attempt_partitions(first_day date, last_day date) returns integer
language plpgsql set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $body$
declare
  wanted date;
  child text;
  created integer = 0;
begin
  for wanted in select cast(day as date) from generate_series(first_day, last_day, interval '1 day') as day loop
    child = 'delivery_attempts_' || to_char(wanted, 'YYYYMMDD');
    continue when to_regclass('public.' || child) is not null or exists (
      select from delivery_attempts_default
      where at >= wanted at time zone 'UTC' and at < (wanted + 1) at time zone 'UTC'
    );
    execute format('create table public.%I (like public.delivery_attempts including defaults including constraints)', child);
    execute format('alter table public.%I enable row level security', child);
    execute format(
      'alter table public.delivery_attempts attach partition public.%I for values from (%L) to (%L)',
      child, wanted || ' 00:00:00+00', wanted + 1 || ' 00:00:00+00'
    );
    created = created + 1;
  end loop;
  return created;
end
$body$;

-- Drops the first partition of attempts that is older than a day, and deletes such attempts of the default partition. Returns the
-- number of partitions that were dropped, 0 or 1. A drop waits for the statements under way, and those that come meanwhile wait for
-- it: so it gives up soon.
create function drop_attempt_partition(before_day date) returns integer
language plpgsql set search_path = pg_catalog, public, pg_temp set lock_timeout = '500ms' as $body$
declare
  old text = (
    select min(child.relname) from pg_inherits join pg_class as child on child.oid = inhrelid
    where inhparent = cast('public.delivery_attempts' as regclass)
      and child.relname ~ '^delivery_attempts_[0-9]{8}$' and child.relname < 'delivery_attempts_' || to_char(before_day, 'YYYYMMDD')
  );
begin
  delete from delivery_attempts_default where at < before_day at time zone 'UTC';
  if old is null then
    return 0;
  end if;
  execute format('drop table public.%I', old);
  return 1;
end
$body$;
