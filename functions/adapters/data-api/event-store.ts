import { DatabaseError } from "../../core/errors.ts";
import { CHUNK_MAX_BYTES, CHUNK_MAX_EVENTS } from "../../core/database-limits.ts";
import type { Chunker, EventStore, SqlDatabase, SqlValue, StorableEvent, StoreOutcome } from "../../core/ports.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { toSqlError } from "./database-errors.ts";
import { createOriginMeter, writeOrigins } from "./origins.ts";

/** Documented in functions/sql/0001_events.sql. */
const storeBatch = `
  select outcome, position, state, message
  from store_batch(string_to_array(:heads, chr(10)), string_to_array(:data, chr(10)), cast(:origins as jsonb))`;

const ensureWaitingDays = "select ensure_waiting_days(cast(:days as jsonb))";

/** The store of events in PostgreSQL: one call of `store_batch` a chunk. */
export function createEventStore(database: SqlDatabase): EventStore {
  /**
   * Makes the tables of days that are missing because events are stored long after their day was dropped: they are stored when
   * their messages come again. Where it fails, they come again once more.
   */
  async function ensureDays(waiting: (StorableEvent | undefined)[], deadline: number): Promise<void> {
    const days = new Map(
      waiting
        .filter((each) => each !== undefined)
        .map(({ retention, receivedAt }) => {
          const day = { class: retention, day: new Date(receivedAt).toISOString().slice(0, 10) };
          return [JSON.stringify(day), day];
        }),
    );
    if (days.size === 0) return;
    try {
      await database.execute(ensureWaitingDays, { days: JSON.stringify([...days.values()]) }, deadline);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
    }
  }

  return {
    createChunker,
    async store(events, deadline) {
      const { parameters, indexes } = toCall(events);
      FAILPOINT: await failpoint("beforeStore");
      const result = await database.execute(storeBatch, parameters, deadline);
      FAILPOINT: await failpoint("afterStore");
      const outcome = toOutcome(result.rows, indexes);
      await ensureDays(
        outcome.refused.filter(({ error }) => error.reason === "missing_partition").map(({ index }) => events[index]),
        deadline,
      );
      return outcome;
    },
  };
}

/** The parameters of a call, and the index of each line's event in the chunk. */
type Call = { parameters: { heads: string; data: string; origins: string }; indexes: number[] };

/** The call of a chunk is written when the chunk is complete, which is while the database works on the one before. */
const calls = new WeakMap<readonly StorableEvent[], Call>();

function toCall(events: StorableEvent[]): Call {
  const known = calls.get(events);
  if (known !== undefined) return known;
  const sorted = inKeyOrder(events);
  // No line has a line break: JSON.stringify escapes them.
  const lines = sorted.map(({ event }) => toRow(event));
  const parameters = {
    heads: lines.map(({ head }) => head).join("\n"),
    data: lines.map(({ data }) => data).join("\n"),
    origins: writeOrigins(sorted.map(({ event }) => event)),
  };
  const call = { parameters, indexes: sorted.map(({ index }) => index) };
  calls.set(events, call);
  return call;
}

/** Sorts events by key, so that concurrent writers lock the same keys in one order; copies of an event keep theirs. */
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
 * @param indexes of each line's event in the caller's list
 * @throws DatabaseError when the result has no row with the number of stored events. Taken for success, it would
 *   acknowledge events that were not stored
 */
function toOutcome(rows: SqlValue[][], indexes: number[]): StoreOutcome {
  const outcome: StoreOutcome = { stored: 0, conflicts: [], erased: 0, refused: [] };
  let sums = 0;
  for (const [kind, position, state, message] of rows) {
    const index = indexes[Number(position)];
    if (kind === "stored") {
      outcome.stored += typeof position === "number" ? position : Number.NaN;
      sums += 1;
    } else if (index === undefined) throw unexpectedResult();
    else if (kind === "conflict") outcome.conflicts.push(index);
    else if (kind === "erased") outcome.erased += 1;
    else outcome.refused.push({ index, error: toSqlError(String(state), String(message)) });
  }
  if (sums === 0 || !Number.isSafeInteger(outcome.stored)) throw unexpectedResult();
  return outcome;
}

function unexpectedResult(): DatabaseError {
  return new DatabaseError({
    disposition: "stop",
    reason: "unexpected_result",
    detail: "store_batch returned rows of another form.",
  });
}

/** Limits rows and bytes, counted as the Data API counts them: the texts are escaped once more as JSON strings. */
function createChunker<T extends StorableEvent>(): Chunker<T> {
  let chunk: T[] = [];
  let bytes = 0;
  let originBytes = createOriginMeter();
  const rest = () => {
    const events = chunk;
    chunk = [];
    bytes = 0;
    originBytes = createOriginMeter();
    toCall(events);
    return events;
  };
  return {
    add(event) {
      const rowBytes = bytesOf(toRow(event));
      let added = rowBytes + originBytes(event);
      const isFull = chunk.length === CHUNK_MAX_EVENTS || (chunk.length > 0 && bytes + added > CHUNK_MAX_BYTES);
      const full = isFull ? rest() : undefined;
      if (isFull) added = rowBytes + originBytes(event);
      chunk.push(event);
      bytes += added;
      return full;
    },
    rest,
  };
}

/** A line of each parameter. `data` is empty where the event has none. */
type Row = { head: string; data: string };

/** With its line breaks, which are two characters each in the call's JSON, as are its quotes. */
const bytesOf = ({ head, data }: Row): number => escapedBytes(head) + escapedBytes(data) + 2 * "\\n".length;

/** Of a line, in which nothing but quotes and backslashes is escaped. */
function escapedBytes(line: string): number {
  let escapes = 0;
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code === QUOTE || code === BACKSLASH) escapes += 1;
  }
  return Buffer.byteLength(line) + escapes;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/** The row of an event is written once, though it is measured first and then sent, perhaps twice. */
const rows = new WeakMap<StorableEvent, Row>();

function toRow(event: StorableEvent): Row {
  const known = rows.get(event);
  if (known !== undefined) return known;
  const row = { head: writeHead(event), data: event.event.data === undefined ? "" : JSON.stringify(event.event.data) };
  rows.set(event, row);
  return row;
}

/** The text of an `event_head`, or a JSON object where it has characters that a line of the parameter cannot hold. */
function writeHead({ tenant, receivedAt, retention, event }: StorableEvent): string {
  const head = {
    tenant,
    id: event.id,
    source: event.source,
    type: event.type,
    subject: event.subject,
    // A leap second is the instant after it. PostgreSQL reads `:60` so, but refuses a fraction that it rounds up.
    time: event.time.replace(/(:60)\.\d+/, "$1"),
    time_sent: isCanonical(event.time) ? undefined : event.time,
    received_at: receivedAt,
    class: retention?.toString(),
    dataschema: event.dataschema,
    datacontenttype: event.datacontenttype,
    extensions: event.extensions && JSON.stringify(event.extensions),
    data_base64: event.data_base64,
  };
  const text = `(${Object.values(head).map(writeField).join(",")})`;
  if (text.isWellFormed() && !CONTROL_CHARACTER.test(text)) return text;
  return JSON.stringify({ ...head, extensions: event.extensions });
}

/** @see https://www.postgresql.org/docs/17/rowtypes.html#ROWTYPES-IO-SYNTAX (an empty field is null) */
function writeField(text: string | undefined): string {
  if (text === undefined) return "";
  return QUOTED.test(text) ? `"${text.replaceAll(/["\\]/g, "\\$&")}"` : text;
}

const QUOTED = /^$|[",()\\]/;
const CONTROL_CHARACTER = /[\u0000-\u001F]/;

/** Tells whether the reader can write the same text from the stored instant: UTC with milliseconds, and no leap second. */
function isCanonical(time: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d\.\d{3}Z$/.test(time);
}
