import { CHUNK_MAX_BYTES, CHUNK_MAX_EVENTS } from "../core/limits.ts";
import type { EventStore, SqlDatabase, StorableEvent } from "../core/ports.ts";

/**
 * Stores events in one statement from one JSON parameter. The key table decides which are new; sorting by key makes
 * two writers of the same keys wait for each other in one order instead of deadlocking. Relies on event_keys' primary key.
 */
const insertEvents = `
  with batch as (
    select distinct on (tenant, id, source) *
    from rows from (
      jsonb_to_recordset(cast(:batch as jsonb)) as (
        tenant text, id text, source text, type text, subject text, time timestamptz, time_sent text,
        received_at timestamptz, dataschema text, datacontenttype text, extensions jsonb, data jsonb, data_base64 text
      )
    ) with ordinality
    order by tenant, id, source, ordinality
  ),
  fresh as (
    insert into event_keys (tenant, id, source, received_at)
    select tenant, id, source, received_at from batch
    on conflict do nothing
    returning tenant, id, source
  )
  insert into events (
    tenant, id, source, type, subject, time, time_sent, received_at, dataschema, datacontenttype, extensions, data,
    data_base64
  )
  select
    tenant, id, source, type, subject, time, time_sent, received_at, dataschema, datacontenttype, extensions, data -> 0,
    data_base64
  from fresh join batch using (tenant, id, source)
`;

export function createDataApiEventStore(database: SqlDatabase): EventStore {
  return {
    async store(events, deadline) {
      const { updated } = await database.execute(insertEvents, { batch: `[${events.map(toRow).join(",")}]` }, deadline);
      return { stored: updated, duplicates: events.length - updated };
    },
    chunks: intoChunks,
  };
}

/** Rows and bytes, counted as the Data API counts them: with the batch text escaped once more as a JSON string. */
function intoChunks<T extends StorableEvent>(events: T[]): T[][] {
  const chunks: T[][] = [];
  let bytes = 0;
  for (const event of events) {
    const rowBytes = Buffer.byteLength(JSON.stringify(toRow(event)));
    const last = chunks.at(-1);
    if (last !== undefined && last.length < CHUNK_MAX_EVENTS && bytes + rowBytes <= CHUNK_MAX_BYTES) {
      last.push(event);
      bytes += rowBytes;
    } else {
      chunks.push([event]);
      bytes = rowBytes;
    }
  }
  return chunks;
}

/** `data` travels in an array of one, because a recordset turns the JSON value null into SQL NULL. */
function toRow({ tenant, receivedAt, event }: StorableEvent): string {
  return JSON.stringify({
    tenant,
    id: event.id,
    source: event.source,
    type: event.type,
    subject: event.subject,
    time: event.time,
    time_sent: isCanonical(event.time) ? undefined : event.time,
    received_at: receivedAt,
    dataschema: event.dataschema,
    datacontenttype: event.datacontenttype,
    extensions: event.extensions,
    data: event.data === undefined ? undefined : [event.data],
    data_base64: event.data_base64,
  });
}

/** Whether the reader can make the very text from the stored instant: UTC with milliseconds. */
function isCanonical(time: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time);
}
