-- Why: what the database refuses is found inside the one statement that stores a chunk, and a second event under a
-- stored key is told from a copy of the first.
-- Locks: new functions only.
--
-- As in 0001, there is no single colon before a word in here and no backslash, for the sake of the Data API's scanner.
--
-- store_events and store_each_event stay: a consumer of the version before calls them until it is replaced, and again
-- after a rollback. A later migration drops them.

-- Stores each event that can be stored. `lines` are JSON objects, sorted by key: keys are locked in the order they come,
-- and two writers of the same keys then wait for each other instead of deadlocking.
--
-- They are stored in blocks, each as a set in a subtransaction of its own. A block with an event that is refused is tried
-- again in blocks of a sixteenth, and so on down to the event itself, whatever is wrong with it: a value, a constraint, a
-- trigger, a size, a partition that is missing. One such event among thousands costs little more than its block, and if
-- all are, each is tried at most three times. Errors that are no event's fault end the statement with nothing stored.
--
-- Answers a row for each event that something is to be said of, `place` being its index in `lines`, from 0:
--   refused    with the SQLSTATE and the database's words, in ASCII and cut, so that those of a whole chunk fit into an
--              answer of 1 MiB
--   conflict   its key is stored with another content, and stays so
-- and rows that say how many events were new, in sum:
--   stored     `place` is the number
create function store_batch(lines text[], block integer = 256, before integer = 0)
returns table (outcome text, place integer, state text, message text)
language plpgsql as $body$
declare
  low integer;
  part text[];
  batch jsonb;
  inserted integer;
  stored integer = 0;
  detail text;
begin
  for low, part in
    select min(number), array_agg(line order by number)
    from unnest(lines) with ordinality as given (line, number)
    group by (number - 1) / block
    order by 1
  loop
    begin
      batch = ('[' || array_to_string(part, ',') || ']')::jsonb;
      inserted = insert_new_events(batch);
      if inserted < cardinality(part) then
        return query
        select 'conflict', before + low - 1 + conflict, null, null from find_conflicts(batch) as conflict;
      end if;
      stored = stored + inserted;
    exception
      when cardinality_violation or data_exception or integrity_constraint_violation or with_check_option_violation
        or program_limit_exceeded or plpgsql_error
      then
        if cardinality(part) > 1 then
          return query select * from store_batch(part, greatest(block / 16, 1), before + low - 1);
        else
          get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail;
          outcome = 'refused';
          place = before + low - 1;
          message = 'ERROR: ' || message || coalesce(' ' || nullif(detail, ''), '');
          message = left(regexp_replace(message, '[^ -~]', '?', 'g'), 200);
          return next;
        end if;
    end;
  end loop;
  outcome = 'stored';
  place = stored;
  state = null;
  message = null;
  return next;
end
$body$;

-- Inserts events, all or none, and answers how many were new. The key table decides; of two copies in one batch the
-- first counts. One plan for all calls, because no value in a batch could make a better one.
create function insert_new_events(batch jsonb) returns integer
language plpgsql set plan_cache_mode = force_generic_plan as $body$
declare
  inserted integer;
begin
  with given as (
    select distinct on (tenant, id, source) *
    from rows from (
      jsonb_to_recordset(batch) as (
        tenant text collate "C", id text collate "C", source text collate "C", type text, subject text, time timestamptz,
        time_sent text, received_at timestamptz, dataschema text, datacontenttype text, extensions jsonb, data jsonb,
        data_base64 text
      )
    ) with ordinality
    order by tenant, id, source, ordinality
  ),
  fresh as (
    insert into event_keys (tenant, id, source, received_at)
    select tenant, id, source, received_at from given order by ordinality
    on conflict do nothing
    returning tenant, id, source
  ),
  stored as (
    insert into events (
      tenant, id, source, type, subject, time, time_sent, received_at, dataschema, datacontenttype, extensions, data,
      data_base64
    )
    select
      tenant, id, source, type, subject, time, time_sent, received_at, dataschema, datacontenttype, extensions,
      data -> 0, data_base64
    from fresh join given using (tenant, id, source)
    returning 1
  )
  select count(*) into inserted from stored;
  return inserted;
end
$body$;

-- The places of events, from 0, whose key is stored with another content. Not compared are the times: the door makes up
-- a missing one, so that a client's retry would differ. Numbers and JSON are compared by value: 1 and 1.0 are one.
-- Called after insert_new_events, it is a statement of its own with a snapshot of its own, and so sees what a writer
-- that it waited for has committed. Each event is looked up by itself, through event_keys_pkey and events_by_arrival; a
-- plan that joins the tables would read all of them.
create function find_conflicts(batch jsonb) returns setof integer
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $body$
begin
  return query
  select given.ordinality::integer - 1
  from rows from (
      jsonb_to_recordset(batch) as (
        tenant text collate "C", id text collate "C", source text collate "C", type text, subject text, dataschema text,
        datacontenttype text, extensions jsonb, data jsonb, data_base64 text
      )
    ) with ordinality as given
    cross join lateral (
      select received_at from event_keys
      where tenant = given.tenant and id = given.id and source = given.source
      limit 1
    ) as key
    cross join lateral (
      select * from events
      where tenant = given.tenant and received_at = key.received_at and id = given.id and source = given.source
      limit 1
    ) as kept
  where
    (given.type, given.subject, given.dataschema, given.datacontenttype, given.extensions, given.data -> 0,
      given.data_base64)
    is distinct from
    (kept.type, kept.subject, kept.dataschema, kept.datacontenttype, kept.extensions, kept.data, kept.data_base64);
end
$body$;
