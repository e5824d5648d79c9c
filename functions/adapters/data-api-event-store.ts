import { CHUNK_MAX_BYTES, CHUNK_MAX_EVENTS } from "../core/limits.ts";
import type { EventStore, SqlDatabase, StorableEvent } from "../core/ports.ts";
import { failpoint } from "./failpoint.ts";
import { toSqlError } from "./store-errors.ts";

/** All or none; answers how many were new. What it does stands with the tables: functions/sql. */
const storeEvents = "select store_events(cast(:batch as jsonb))";

/** Each by itself; a row for each event the database refuses, and one with place -1 and how many were new. */
const storeEachEvent = "select place, state, message from store_each_event(cast(:batch as json))";

export function createDataApiEventStore(database: SqlDatabase): EventStore {
  return {
    async store(events, deadline) {
      FAILPOINT: await failpoint("beforeStore");
      const { rows } = await database.execute(storeEvents, { batch: toBatch(events) }, deadline);
      FAILPOINT: await failpoint("afterStore");
      return { stored: Number(rows[0]?.[0]) };
    },
    async storeEach(events, deadline) {
      const { rows } = await database.execute(storeEachEvent, { batch: toBatch(events) }, deadline);
      const refused = rows.filter(([place]) => Number(place) >= 0);
      return {
        stored: Number(rows.find(([place]) => place === -1)?.[2]),
        refused: refused.map(([place, state, message]) => ({
          index: Number(place),
          error: toSqlError(String(state), String(message)),
        })),
      };
    },
    chunks: intoChunks,
  };
}

function toBatch(events: StorableEvent[]): string {
  return `[${events.map((event) => toRow(event)).join(",")}]`;
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

/** Made once for an event, though it is measured first and then sent, perhaps twice. */
const rowTexts = new WeakMap<StorableEvent, string>();

function toRow(event: StorableEvent): string {
  const known = rowTexts.get(event);
  if (known !== undefined) return known;
  const text = makeRow(event);
  rowTexts.set(event, text);
  return text;
}

/** `data` travels in an array of one, because a recordset turns the JSON value null into SQL NULL. */
function makeRow({ tenant, receivedAt, event }: StorableEvent): string {
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
