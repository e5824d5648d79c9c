import { DatabaseError } from "../../core/errors.ts";
import { CHUNK_MAX_BYTES, CHUNK_MAX_EVENTS } from "../../core/limits.ts";
import type { EventStore, SqlDatabase, SqlValue, StorableEvent, StoreOutcome } from "../../core/ports.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { toSqlError } from "./database-errors.ts";

/** What it does and answers stands with the tables: functions/sql/0002_store_batch.sql. */
const storeBatch = "select outcome, place, state, message from store_batch(string_to_array(:lines, chr(10)))";

export function createDataApiEventStore(database: SqlDatabase): EventStore {
  return {
    async store(events, deadline) {
      const sorted = inKeyOrder(events);
      // No line break can be in a row: JSON.stringify escapes them.
      const lines = sorted.map(({ event }) => toRow(event)).join("\n");
      FAILPOINT: await failpoint("beforeStore");
      const { rows } = await database.execute(storeBatch, { lines }, deadline);
      FAILPOINT: await failpoint("afterStore");
      return toOutcome(
        rows,
        sorted.map(({ index }) => index),
      );
    },
    chunks: intoChunks,
  };
}

/** Sorted by key, so that concurrent writers lock the same keys in the same order; copies of one stay in theirs. */
function inKeyOrder(events: StorableEvent[]): { event: StorableEvent; index: number }[] {
  return events
    .map((event, index) => ({ event, index }))
    .toSorted(
      ({ event: a }, { event: b }) =>
        compare(a.tenant, b.tenant) || compare(a.event.id, b.event.id) || compare(a.event.source, b.event.source),
    );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * @param indexes where each line stood in the list that is answered for
 * @throws DatabaseError for an answer that is none: taken for "nothing to say", it would acknowledge what is not stored
 */
function toOutcome(rows: SqlValue[][], indexes: number[]): StoreOutcome {
  const outcome: StoreOutcome = { stored: 0, conflicts: [], refused: [] };
  let sums = 0;
  for (const [kind, place, state, message] of rows) {
    const index = indexes[Number(place)];
    if (kind === "stored") {
      outcome.stored += typeof place === "number" ? place : Number.NaN;
      sums += 1;
    } else if (index === undefined) throw notAnAnswer();
    else if (kind === "conflict") outcome.conflicts.push(index);
    else outcome.refused.push({ index, error: toSqlError(String(state), String(message)) });
  }
  if (sums === 0 || !Number.isSafeInteger(outcome.stored)) throw notAnAnswer();
  return outcome;
}

function notAnAnswer(): DatabaseError {
  return new DatabaseError({
    disposition: "stop",
    reason: "unexpected_answer",
    detail: "store_batch answered something else.",
  });
}

/** Rows and bytes, counted as the Data API counts them: with the batch text escaped once more as a JSON string. */
function* intoChunks<T extends StorableEvent>(events: Iterable<T>): Generator<T[]> {
  let chunk: T[] = [];
  let bytes = 0;
  for (const event of events) {
    const rowBytes = Buffer.byteLength(JSON.stringify(toRow(event)));
    if (chunk.length === CHUNK_MAX_EVENTS || (chunk.length > 0 && bytes + rowBytes > CHUNK_MAX_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(event);
    bytes += rowBytes;
  }
  if (chunk.length > 0) yield chunk;
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
