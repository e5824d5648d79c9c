-- Why: legal holds are made, listed and released by the API; a hold that is made while held events are deleted wins.
-- Locks: two new columns of holds, which have no default; new functions.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes.

alter table holds add column released_by text, add column release_reason text;

-- Lets one transaction at a time make holds of a tenant, or delete events that none of its holds has.
create function lock_holds(of_tenant text) returns void
language sql as $body$
  select cast(pg_advisory_xact_lock(hashtextextended('holds of ' || of_tenant, 0)) as text)
$body$;

create function hold_json(h holds) returns text
language sql stable as $body$
  select cast(json_build_object(
    'id', h.id, 'tenant', h.tenant, 'filter', h.filter, 'reason', h.reason, 'until', replay_time(h.until),
    'state', case when h.released_at is not null then 'released' when h.until <= now() then 'ended' else 'active' end,
    'createdBy', h.created_by, 'createdAt', replay_time(h.created_at), 'releasedAt', replay_time(h.released_at),
    'releasedBy', h.released_by, 'releaseReason', h.release_reason
  ) as text)
$body$;

-- Writes a hold. Done again with the same id, it changes nothing. Null where the tenant has `most` holds in force, or where their
-- filters would have more than `most_bytes`.
create function make_hold(
  for_id text, for_tenant text, of_filter text, why text, until_time timestamptz, for_key text, most integer, most_bytes integer
)
returns text
language plpgsql as $body$
declare
  made holds;
  in_force bigint;
  filter_bytes bigint;
begin
  perform lock_holds(for_tenant);
  select count(*), coalesce(sum(octet_length(filter)), 0) into in_force, filter_bytes
  from active_holds() where tenant = for_tenant and id <> for_id;
  if in_force >= most or filter_bytes + coalesce(octet_length(of_filter), 0) > most_bytes then
    return null;
  end if;
  insert into holds (id, tenant, filter, reason, until, created_by)
  values (for_id, for_tenant, of_filter, why, until_time, for_key)
  on conflict (id) do nothing returning * into made;
  if made.id is null then
    select * into made from holds where id = for_id and tenant = for_tenant;
  end if;
  return hold_json(made);
end
$body$;

create function read_hold(for_tenant text, for_id text) returns text
language sql stable as $body$
  select hold_json(h) from holds as h where h.id = for_id and h.tenant = for_tenant
$body$;

-- The holds before one, latest first, a row each. Relies on holds_of_tenant.
create function list_holds(for_tenant text, before_id text, most integer) returns table (hold text)
language sql stable as $body$
  select hold_json(h) from holds as h
  where h.tenant = for_tenant and (before_id is null or h.id < before_id)
  order by h.id desc limit most
$body$;

-- Releases a hold that is in force; any other stays as it is. Null where the tenant has none of this id.
create function release_hold(for_tenant text, for_id text, why text, for_key text) returns text
language plpgsql as $body$
begin
  update holds set released_at = now(), released_by = for_key, release_reason = why
  where id = for_id and tenant = for_tenant and released_at is null and (until is null or until > now());
  return read_hold(for_tenant, for_id);
end
$body$;

-- The holds in force of all tenants behind one, in pages that the Data API can return.
create function active_holds_behind(of_tenant text, of_id text, most integer)
returns table (id text, tenant text, filter text)
language sql stable as $body$
  select h.id, h.tenant, h.filter from active_holds() as h
  where of_tenant is null or (h.tenant collate "C", h.id) > (of_tenant collate "C", of_id)
  order by h.tenant collate "C", h.id limit most
$body$;

create function count_active_holds(out holds bigint, out tenants bigint)
language sql stable as $body$
  select count(*), count(distinct tenant) from active_holds()
$body$;

-- Does what drop_released does, where the holds in force of the tenant are still those of which the condition was made: a JSON
-- array of their ids. Otherwise it deletes nothing, and returns 0: the next run reads them again. A hold that is made meanwhile
-- waits for this transaction.
create function drop_unheld(of_tenant text, of_holds jsonb, condition text, condition_texts text[], most integer) returns integer
language plpgsql as $body$
declare
  in_force jsonb;
begin
  perform lock_holds(of_tenant);
  select coalesce(jsonb_agg(id), '[]') into in_force from active_holds() where tenant = of_tenant;
  if not (of_holds @> in_force and of_holds <@ in_force) then
    return 0;
  end if;
  return drop_released(of_tenant, condition, condition_texts, most);
end
$body$;
