import { RESULT_PIECE_CHARACTERS } from "../../core/database-limits.ts";
import { BODY_MAX_PIECES, GROUP_MAX_TYPES, GROUPS_MAX, HISTORY_MAX_REPLAYS } from "../../core/dead-letter-limits.ts";
import type {
  DeadLetterGroup,
  DeadLetterPosition,
  DeadLetterReader,
  DeadLetterReplay,
  DeadLetterRow,
  DeadLetterScope,
  DeadLetterSelection,
  DeadLetterState,
  ReadDeadLetter,
} from "../../core/dead-letter-table.ts";
import { isBoundSql } from "../../core/filter/is-bound-sql.ts";
import { toSql } from "../../core/filter/to-sql.ts";
import { LIST_PAGE_MAX_BYTES } from "../../core/list-limits.ts";
import type { SqlDatabase, SqlValue } from "../../core/ports.ts";
import { textArray, toTextArray } from "./text-array.ts";

/** Documented in functions/sql/0007_dead_letters.sql, with the indexes that they rely on. */
const PATTERNS = `${textArray(":types")}, ${textArray(":sources")}`;
const SELECTION = `
    :tenant, :condition, ${textArray(":condition_texts")}, ${PATTERNS}, ${textArray(":ids")}, ${textArray(":reasons")},
    ${textArray(":sql_states")}, ${textArray(":message_groups")}, ${textArray(":states")},
    cast(:from as timestamptz), cast(:to as timestamptz)`;
const listDeadLetters = `
  select piece from list_dead_letters(${SELECTION},
    cast(:after_opened_at as timestamptz), :after_id, cast(:max_rows as integer), ${LIST_PAGE_MAX_BYTES}, cast(:budget as integer)
  )`;
const groupDeadLetters = `select piece from group_dead_letters(${SELECTION}, ${GROUPS_MAX}, ${GROUP_MAX_TYPES})`;
const readDeadLetter = `
  select part, piece from read_dead_letter(
    :tenant, :id, ${PATTERNS}, ${RESULT_PIECE_CHARACTERS}, cast(:first_piece as integer), ${BODY_MAX_PIECES}, ${HISTORY_MAX_REPLAYS}
  )`;
const findDeadLetter = `select id, state, reason, message from find_dead_letter(:tenant, :event_id, :source, ${PATTERNS})`;

/** The reader of dead letters in PostgreSQL: one statement each, and more for a body that is larger than a result. */
export function createDeadLetterReader(database: SqlDatabase): DeadLetterReader {
  return {
    async list(scope, selection, { after, limit, budgetMs }, deadline) {
      const [openedAt = null, id = null] = after ?? [];
      const parameters = {
        ...selectionParameters(scope, selection),
        after_opened_at: openedAt,
        after_id: id,
        max_rows: String(limit),
        budget: String(Math.max(Math.floor(budgetMs), 0)),
      };
      const pieces = piecesOf((await database.execute(listDeadLetters, parameters, deadline)).rows);
      const facts = JSON.parse(pieces.at(-1) ?? "") as { more: boolean; last: DeadLetterPosition | null };
      const rows = pieces.slice(0, -1).map((piece) => JSON.parse(piece) as DeadLetterRow);
      return { rows, next: facts.more ? (facts.last ?? undefined) : undefined };
    },

    async groups(scope, selection, deadline) {
      const { rows } = await database.execute(groupDeadLetters, selectionParameters(scope, selection), deadline);
      return piecesOf(rows).map((piece) => JSON.parse(piece) as DeadLetterGroup);
    },

    async read(scope, id, deadline) {
      const read = async (firstPiece: number) => {
        const parameters = { ...scopeParameters(scope), id, first_piece: String(firstPiece) };
        return (await database.execute(readDeadLetter, parameters, deadline)).rows;
      };
      const rows = await read(0);
      const [row] = partsOf(rows, "row");
      if (row === undefined) return undefined;
      const { pieces, ...facts } = JSON.parse(row) as Omit<ReadDeadLetter, "body" | "history"> & { pieces: number };
      const body = partsOf(rows, "body");
      // A dead letter whose body an edit has changed meanwhile ends early; its next reader has it whole.
      while (body.length < pieces) {
        const more = partsOf(await read(body.length), "body");
        if (more.length === 0) break;
        body.push(...more);
      }
      const history = partsOf(rows, "replay").map((piece) => JSON.parse(piece) as DeadLetterReplay);
      return { ...facts, body: body.join(""), history };
    },

    async find(scope, { id, source }, deadline) {
      const parameters = { ...scopeParameters(scope), event_id: id, source: source ?? null };
      const [row] = (await database.execute(findDeadLetter, parameters, deadline)).rows;
      if (row === undefined) return undefined;
      const [found, state, reason, message] = row.map(String) as [string, DeadLetterState, string, string];
      return { id: found, state, reason, message };
    },
  };
}

function scopeParameters({ tenant, allowed }: DeadLetterScope) {
  return { tenant, types: toTextArray(allowed.types), sources: toTextArray(allowed.sources) };
}

/** Every text of a user is a value, and the condition only has its number. */
function selectionParameters(scope: DeadLetterScope, selection: DeadLetterSelection): Record<string, string | null> {
  const values: string[] = [];
  const condition = selection.filter === undefined ? null : toSql(selection.filter, values);
  if (condition !== null && !isBoundSql(condition)) {
    throw new TypeError("The condition of a filter has text that is not bound.");
  }
  return {
    ...scopeParameters(scope),
    condition,
    condition_texts: JSON.stringify(values),
    ids: toTextArray(selection.ids),
    reasons: toTextArray(selection.reasons),
    sql_states: toTextArray(selection.sqlStates),
    message_groups: toTextArray(selection.messageGroups),
    states: toTextArray(selection.states),
    from: selection.opened.from ?? null,
    to: selection.opened.to ?? null,
  };
}

function piecesOf(rows: SqlValue[][]): string[] {
  return rows.map(([piece]) => String(piece));
}

function partsOf(rows: SqlValue[][], name: string): string[] {
  return rows.flatMap(([part, piece]) => (part === name ? [String(piece)] : []));
}
