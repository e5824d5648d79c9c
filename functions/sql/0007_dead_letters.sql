-- Why: dead letters that never expire, can be searched by a team, and are replayed or discarded by jobs.
-- Locks: new tables only.
--
-- As in 0001: no colon before a word and no backslash, because the Data API's scanner does not know dollar quotes.

-- One row for an event that could not be stored, or for a whole message that could not be read, for its whole life.
create table dead_letters (
  -- dl_ and 32 characters of 0-9 and a-f, made of the message's id and the index.
  id text collate "C" primary key,
  -- The message of SQS and the event's index in it, from 0: a message that is delivered twice makes no second row.
  message_id text collate "C" not null,
  message_index integer not null,
  -- Null: the message named none.
  tenant text collate "C",
  type text collate "C",
  source text collate "C",
  event_id text collate "C",
  subject text,
  time timestamptz,
  dataschema text,
  datacontenttype text,
  extensions jsonb,
  -- Null as well where PostgreSQL cannot hold it; `body` has it.
  data jsonb,
  received_at timestamptz,
  reason text collate "C" not null,
  sql_state text collate "C",
  -- The cause in the database's words, and the same without ids, numbers and quoted texts.
  message text not null,
  message_group text not null,
  attempts integer not null,
  replays integer not null default 0,
  state text collate "C" not null default 'open' check (state in ('open', 'replayed', 'discarded')),
  created_at timestamptz not null default clock_timestamp(),
  -- When it became open the last time.
  opened_at timestamptz not null default clock_timestamp(),
  closed_at timestamptz,
  -- The job that took it last.
  replay_id text collate "C",
  -- True: the body is a queue message with this one event. False: a whole message as it came.
  is_event boolean not null,
  -- The body of a queue message, as SQS delivered it or as an edit has corrected it.
  body text not null,
  unique (message_id, message_index)
);

-- A job that replays or discards dead letters.
create table replays (
  -- rpl_ and 32 characters of 0-9 and a-f, which begin with the time of the start.
  id text collate "C" primary key,
  action text collate "C" not null check (action in ('replay', 'discard')),
  -- '*' is the installation: the dead letters of every tenant, and those without one.
  tenant text collate "C" not null,
  state text collate "C" not null default 'running' check (state in ('running', 'done', 'cancelled', 'failed')),
  -- The request as JSON text (functions/core/replay-job.ts).
  request text not null,
  key_id text not null,
  types text[],
  sources text[],
  planned integer not null,
  taken integer not null default 0,
  sent integer not null default 0,
  stored integer not null default 0,
  dead_lettered integer not null default 0,
  -- The row at which the next step goes on: opened_at and id.
  after_opened_at timestamptz,
  after_id text collate "C",
  is_cancelling boolean not null default false,
  reason text,
  detail text,
  created_at timestamptz not null default clock_timestamp(),
  progress_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  -- A step works until then at the latest, and the message that started it.
  lease_until timestamptz,
  lease_by text,
  attempts integer not null default 0
);

-- Corrected events of a job, by the id of the dead letter.
create table replay_edits (
  replay_id text collate "C" not null references replays on delete cascade,
  dead_letter_id text collate "C" not null,
  -- The event's JSON text.
  event text not null,
  primary key (replay_id, dead_letter_id)
);

-- What became of a dead letter each time that a job took it.
create table dead_letter_replays (
  dead_letter_id text collate "C" not null references dead_letters on delete cascade,
  -- Of the dead letter's replays, from 1; 0 for the discard.
  number integer not null,
  replay_id text collate "C" not null,
  taken_at timestamptz not null default clock_timestamp(),
  -- Null: it may have been sent, and is sent again.
  sent_at timestamptz,
  outcome text collate "C" check (outcome in ('stored', 'dead_lettered')),
  outcome_at timestamptz,
  -- Of the return.
  reason text collate "C",
  sql_state text collate "C",
  message text,
  primary key (dead_letter_id, number)
);
