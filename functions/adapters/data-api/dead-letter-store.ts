import { CHUNK_MAX_BYTES } from "../../core/database-limits.ts";
import { deadLetterIdOf } from "../../core/dead-letter-id.ts";
import { OPEN_DEAD_LETTERS_MAX, RECORD_MAX_DEAD_LETTERS } from "../../core/dead-letter-limits.ts";
import type { DeadLetterStore, NewDeadLetter } from "../../core/dead-letter-table.ts";
import { DatabaseError } from "../../core/errors.ts";
import type { Chunker, SqlDatabase, SqlValue } from "../../core/ports.ts";
import { failpoint } from "../lambda/failpoint.ts";

/**
 * Documented in functions/sql/0007_dead_letters.sql. Bodies go apart from their rows, because JSON in JSON in the call's JSON
 * would have four bytes for a quotation mark, and a body of 1 MiB would not fit. SQS takes no U+0001, which is between them.
 */
const recordDeadLetters = `
  select record_dead_letters(string_to_array(:lines, chr(10)), string_to_array(:bodies, chr(1)))`;
const countOpen = `select count_open_dead_letters(${OPEN_DEAD_LETTERS_MAX})`;

/** The store of dead letters in PostgreSQL: one call of `record_dead_letters` a chunk. */
export function createDeadLetterStore(database: SqlDatabase): DeadLetterStore {
  return {
    createChunker,
    async record(deadLetters, deadline) {
      const rows = deadLetters.map(toLine).join("\n");
      const bodies = deadLetters.map(({ body }) => body).join("\u0001");
      FAILPOINT: await failpoint("beforeRecord");
      const { rows: recorded } = await database.execute(recordDeadLetters, { lines: rows, bodies }, deadline);
      FAILPOINT: await failpoint("afterRecord");
      return { recorded: toCount(recorded) };
    },
    countOpen: async (deadline) => toCount((await database.execute(countOpen, {}, deadline)).rows),
  };
}

/** The line of a dead letter is written once, though it is measured first and then sent, perhaps twice. */
const lines = new WeakMap<NewDeadLetter, string>();

function toLine(deadLetter: NewDeadLetter): string {
  const known = lines.get(deadLetter);
  if (known !== undefined) return known;
  const text = writeLine(deadLetter);
  lines.set(deadLetter, text);
  return text;
}

function writeLine(deadLetter: NewDeadLetter): string {
  const { searched, ...facts } = deadLetter;
  const { time } = searched ?? {};
  return JSON.stringify({
    id: deadLetterIdOf(facts.messageId, facts.messageIndex),
    dead_letter_id: facts.deadLetterId,
    message_id: facts.messageId,
    message_index: facts.messageIndex,
    tenant: facts.tenant,
    type: facts.type,
    source: facts.source,
    event_id: facts.eventId,
    subject: searched?.subject,
    // As in event-store.ts: PostgreSQL refuses the fraction of a leap second.
    sent_time: time?.replace(/(:60)\.\d+/, "$1"),
    time_sent: time,
    dataschema: searched?.dataschema,
    datacontenttype: searched?.datacontenttype,
    sent_received_at: facts.receivedAt,
    producer: facts.origin?.producer,
    sequence: facts.origin?.sequence,
    reason: facts.reason,
    sql_state: facts.sqlState,
    message: facts.message,
    message_group: facts.messageGroup,
    attempts: facts.attempts,
    replays: facts.replays,
    is_event: facts.isEvent,
    is_plain: !NOT_PLAIN.test(facts.body),
  });
}

/** Escapes that jsonb refuses: U+0000, and halves of surrogate pairs. Other JSON it may refuse too, but not often. */
const NOT_PLAIN = /\\u(?:0000|[dD][89a-fA-F])/;

/** @throws DatabaseError for a result of another form: taken for success, it would delete messages that are not recorded */
function toCount(rows: SqlValue[][]): number {
  const [[count] = []] = rows;
  if (rows.length === 1 && typeof count === "number") return count;
  throw new DatabaseError({
    disposition: "stop",
    reason: "unexpected_result",
    detail: "A function of dead letters returned rows of another form.",
  });
}

/** Limits rows and bytes, counted as the Data API counts them: its JSON escapes both texts. */
function createChunker<T extends NewDeadLetter>(): Chunker<T> {
  let chunk: T[] = [];
  let bytes = 0;
  const rest = () => {
    const deadLetters = chunk;
    chunk = [];
    bytes = 0;
    return deadLetters;
  };
  return {
    add(deadLetter) {
      const rowBytes =
        Buffer.byteLength(JSON.stringify(toLine(deadLetter))) +
        Buffer.byteLength(JSON.stringify(deadLetter.body)) +
        SEPARATOR_BYTES;
      const isFull =
        chunk.length === RECORD_MAX_DEAD_LETTERS || (chunk.length > 0 && bytes + rowBytes > CHUNK_MAX_BYTES);
      const full = isFull ? rest() : undefined;
      chunk.push(deadLetter);
      bytes += rowBytes;
      return full;
    },
    rest,
  };
}

/** Of a line and of a body, as JSON escapes them. */
const SEPARATOR_BYTES = String.raw`\n`.length + String.raw`\u0001`.length;
