-- Why: an erasure takes events out of files of the archive, whose manifests it writes again, while restores read them.
-- Locks: a new table and functions; hold_restore is replaced.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes.

-- Manifests that an erasure is about to write again. While there is a row, no step of a restore of the tenant begins: a restore would
-- find another file than it has seen at its start. A row without `sha256` counts for some minutes only: whoever has made it may
-- have been killed. One with it is ended by whoever looks at the manifest next: the file says whether it was written.
create table archive_rewrites (
  tenant text collate "C" not null,
  day date not null,
  retention integer not null,
  generation integer not null,
  key text not null,
  erasure_id text not null,
  asked_at timestamptz not null default clock_timestamp(),
  -- Of the manifest before, and of the one that is written.
  previous_sha256 text not null,
  sha256 text,
  -- Its rows, bytes, text_bytes and parts.
  facts jsonb,
  -- The places of restores that are in the middle of it: [id, manifests further, part, line].
  places jsonb,
  primary key (tenant, day, retention, generation)
);
alter table archive_rewrites enable row level security;

-- Lets one transaction at a time begin to rewrite an archive of a tenant, or give a restore of it to a step.
create function lock_restores(of_tenant text) returns void
language sql as $body$
  select cast(pg_advisory_xact_lock(hashtextextended('restores of ' || of_tenant, 0)) as text)
$body$;

-- Tells whether a part with events of a tenant may be under way: of a generation that is not finished, whose steps have not come
-- further than the tenant. What a later generation has was read behind this.
create function is_archive_under_way(of_tenant text) returns boolean
language sql stable as $body$
  select exists (
    select from archives as a join retention_days as d on d.class = a.retention and d.day = a.day
    where a.finished_at is null and d.state <> 'dropped'
      and (a.tenant is null or a.tenant <= of_tenant)
      and not exists (
        select from archive_manifests as m
        where m.tenant = of_tenant and m.day = a.day and m.retention = a.retention and m.generation = a.generation
      )
  )
$body$;

-- The generations of a class and day that are not finished.
create function unfinished_archives(of_retention integer, of_day date) returns table (generation integer)
language sql stable as $body$
  select generation from archives where retention = of_retention and day = of_day and finished_at is null
$body$;

-- What the database knows of a manifest: its SHA-256, and the rewrite that is not ended.
create function read_archive_rewrite(of_tenant text, of_day date, of_retention integer, of_generation integer) returns text
language sql stable as $body$
  select cast(json_build_object(
    'known', (
      select m.sha256 from archive_manifests as m
      where m.tenant = of_tenant and m.day = of_day and m.retention = of_retention and m.generation = of_generation
    ),
    'pending', (
      select json_build_object(
        'erasureId', w.erasure_id, 'previous', w.previous_sha256, 'sha256', w.sha256,
        'isStale', w.asked_at < clock_timestamp() - interval '10 minutes'
      )
      from archive_rewrites as w
      where w.tenant = of_tenant and w.day = of_day and w.retention = of_retention and w.generation = of_generation
        and w.sha256 is not null
    )
  ) as text)
$body$;

-- Keeps restores of a tenant from a manifest that is rewritten. `changed` where it is another one than the erasure has read, or
-- another erasure rewrites it; `busy` while a step of a restore may read it, and then no other step begins. Otherwise the places
-- of restores that are in the middle of it, as [id, part, line].
create function begin_archive_rewrite(
  of_tenant text, of_day date, of_retention integer, of_generation integer, of_key text, for_erasure text, previous text
)
returns text
language plpgsql as $body$
begin
  perform lock_restores(of_tenant);
  if exists (
    select from archive_manifests as m
    where m.tenant = of_tenant and m.day = of_day and m.retention = of_retention and m.generation = of_generation
      and m.sha256 <> previous
  ) then
    return '"changed"';
  end if;
  insert into archive_rewrites as w (tenant, day, retention, generation, key, erasure_id, previous_sha256)
  values (of_tenant, of_day, of_retention, of_generation, of_key, for_erasure, previous)
  on conflict (tenant, day, retention, generation) do update set
    asked_at = clock_timestamp(), erasure_id = for_erasure, previous_sha256 = previous, sha256 = null, facts = null, places = null
  where w.erasure_id = for_erasure or w.asked_at < clock_timestamp() - interval '10 minutes';
  if not found then
    return '"changed"';
  end if;
  if exists (
    select from restores
    where tenant = of_tenant and state = 'running' and lease_until > clock_timestamp()
      and manifests @> jsonb_build_array(jsonb_build_array(of_key))
  ) then
    return '"busy"';
  end if;
  return (
    select cast(coalesce(jsonb_agg(jsonb_build_array(id, part_at, line_at)), '[]') as text)
    from restores
    where tenant = of_tenant and state = 'running' and manifests -> manifest_at ->> 0 = of_key
  );
end
$body$;

-- Notes the manifest that is written next; false where another erasure has the manifest by now, or where a hold was made since its lines
-- were compared. A hold that is made behind this comes too late for them.
create function intend_archive_rewrite(
  of_tenant text, of_day date, of_retention integer, of_generation integer, for_erasure text, new_sha256 text,
  new_facts jsonb, new_places jsonb
)
returns boolean
language plpgsql as $body$
begin
  lock table holds in share mode;
  if not knows_holds(of_tenant, (select known_holds from erasures where id = for_erasure)) then
    return false;
  end if;
  update archive_rewrites set sha256 = new_sha256, facts = new_facts, places = new_places, asked_at = clock_timestamp()
  where tenant = of_tenant and day = of_day and retention = of_retention and generation = of_generation
    and erasure_id = for_erasure;
  return found;
end
$body$;

-- Ends the rewrite of a manifest that is written: the database knows it, and restores have it in place of the one before, at the
-- place behind the same events. Done again, it changes nothing.
create function finish_archive_rewrite(
  of_tenant text, of_day date, of_retention integer, of_generation integer, new_sha256 text
)
returns void
language plpgsql as $body$
declare
  done archive_rewrites;
  facts record;
begin
  delete from archive_rewrites
  where tenant = of_tenant and day = of_day and retention = of_retention and generation = of_generation and sha256 = new_sha256
  returning * into done;
  if not found then
    return;
  end if;
  select * into facts from jsonb_to_record(done.facts) as f (rows bigint, bytes bigint, text_bytes bigint, parts integer);
  update archives as a set
    rows = a.rows - m.rows + facts.rows, bytes = a.bytes - m.bytes + facts.bytes,
    text_bytes = a.text_bytes - m.text_bytes + facts.text_bytes
  from archive_manifests as m
  where a.retention = of_retention and a.day = of_day and a.generation = of_generation
    and m.tenant = of_tenant and m.day = of_day and m.retention = of_retention and m.generation = of_generation;
  insert into archive_manifests (tenant, day, retention, generation, sha256, rows, bytes, text_bytes, parts)
  values (
    of_tenant, of_day, of_retention, of_generation, new_sha256, facts.rows, facts.bytes, facts.text_bytes, facts.parts
  )
  on conflict (tenant, day, retention, generation) do update set
    sha256 = excluded.sha256, rows = excluded.rows, bytes = excluded.bytes, text_bytes = excluded.text_bytes,
    parts = excluded.parts;
  update restores as r set manifests = (
    select jsonb_agg(
      case when each = jsonb_build_array(done.key, done.previous_sha256)
        then jsonb_build_array(done.key, new_sha256) else each end
      order by number
    )
    from jsonb_array_elements(r.manifests) with ordinality as all_of (each, number)
  )
  where r.tenant = of_tenant and r.state = 'running'
    and r.manifests @> jsonb_build_array(jsonb_build_array(done.key, done.previous_sha256));
  update restores as r set
    manifest_at = r.manifest_at + cast(place ->> 1 as integer), part_at = cast(place ->> 2 as integer),
    line_at = cast(place ->> 3 as integer)
  from jsonb_array_elements(done.places) as place
  where r.id = place ->> 0 and r.tenant = of_tenant and r.state = 'running' and r.manifests -> r.manifest_at ->> 0 = done.key;
end
$body$;

-- Gives a running job to a step, unless another one has it, or a manifest of its tenant is rewritten; as hold_replay does.
create or replace function hold_restore(for_id text, holder text, for_seconds integer)
returns table (outcome text, seconds integer, job text)
language plpgsql as $body$
declare
  found_job restores;
begin
  perform lock_restores(r.tenant) from restores as r where r.id = for_id;
  update restores as r set lease_by = holder, lease_until = clock_timestamp() + for_seconds * interval '1 second'
  where r.id = for_id and r.state = 'running' and (r.lease_until is null or r.lease_until <= clock_timestamp())
    and not exists (
      select from archive_rewrites as w
      where w.tenant = r.tenant and (w.sha256 is not null or w.asked_at > clock_timestamp() - interval '10 minutes')
    )
  returning * into found_job;
  if found then
    return query select 'held', 0, restore_json(found_job);
    return;
  end if;
  select * into found_job from restores where id = for_id;
  return query select
    case when found_job.id is null then 'absent' when found_job.state <> 'running' then 'over' else 'leased' end,
    cast(ceil(greatest(extract(epoch from found_job.lease_until - clock_timestamp()), 1)) as integer),
    case when found_job.id is null then null else restore_json(found_job) end;
end
$body$;
