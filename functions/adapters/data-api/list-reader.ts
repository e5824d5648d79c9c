import { RESULT_PIECE_CHARACTERS } from "../../core/database-limits.ts";
import { DatabaseError, RequestError } from "../../core/errors.ts";
import { isBoundSql } from "../../core/filter/is-bound-sql.ts";
import { toLookup } from "../../core/filter/to-lookup.ts";
import { toSql } from "../../core/filter/to-sql.ts";
import { COUNT_MAX, CURSOR_KEY_MAX_BYTES, LIST_PAGE_MAX_BYTES } from "../../core/list-limits.ts";
import type { Count, ListPart, ListReader, ListScan, Plan, Position } from "../../core/list-reader.ts";
import type { SqlDatabase, SqlValue } from "../../core/ports.ts";
import { inSlot, refuseWithoutSlot } from "./query-slot.ts";
import { textArray, toTextArray } from "./text-array.ts";

/**
 * Documented in functions/sql/0004_list.sql, with the indexes that it relies on. An array that is missing is a plain null,
 * because PostgreSQL plans the reading of each other one.
 */
const listEvents = (tenant: string, isMissing: (array: string) => boolean) => {
  const [texts, types, sources, ids, lookupTypes] = ARRAYS.map((name) =>
    isMissing(name) ? "null" : textArray(`:${name}`),
  );
  return `list_events(
    ${tenant}, :condition, ${texts}, ${types}, ${sources}, ${ids},
    cast(:from as timestamptz), cast(:to as timestamptz), cast(:newest_first as boolean), cast(:horizon as bigint),
    cast(:after_received_at as timestamptz), :after_id, :after_source, :after_hash,
    cast(:max_events as integer), ${LIST_PAGE_MAX_BYTES}, ${RESULT_PIECE_CHARACTERS},
    :count_mode, ${COUNT_MAX}, cast(:budget as integer), ${lookupTypes}, cast(:lookup_fields as jsonb)
  )`;
};

/** The parameters that are arrays. */
const ARRAYS = ["condition_texts", "types", "sources", "ids", "lookup_types"];

/** The SQLSTATE of list_events for a position whose event is no longer there. */
const POSITION_LOST = "SL410";

/** The reader of lists: one statement a page. */
export function createListReader(
  database: SqlDatabase,
  {
    maxOfTenant,
  }: {
    /** Queries that a tenant may have under way; then `list` throws RequestError `too_many_queries`. @default any number */
    maxOfTenant?: number;
  } = {},
): ListReader {
  return {
    async list(scan, deadline) {
      const all = Object.entries(parametersOf(scan));
      const parameters = Object.fromEntries(all.filter(([name, value]) => value !== null || !ARRAYS.includes(name)));
      const isMissing = (name: string) => !(name in parameters);
      const source = inSlot(maxOfTenant, (tenant) => listEvents(tenant, isMissing));
      const { rows } = await database
        .execute(`select number, piece from ${source}`, parameters, deadline)
        .catch(toRequestError);
      return toPart(rows);
    },
  };
}

function parametersOf(scan: ListScan): Record<string, string | null> {
  const { tenant, allowed, received, isNewestFirst, horizon, after, maxEvents, count, budgetMs } = scan;
  const { condition, values } = conditionOf(scan);
  const [receivedAt = null, id = null, source] = after ?? [];
  const lookup = scan.filter && toLookup(scan.filter);
  const byHash = source === undefined;
  return {
    tenant,
    condition,
    condition_texts: JSON.stringify(values),
    types: toTextArray(allowed.types),
    sources: toTextArray(allowed.sources),
    ids: toTextArray(scan.ids),
    from: received.from ?? null,
    to: received.to ?? null,
    newest_first: String(isNewestFirst),
    horizon: horizon ?? null,
    after_received_at: receivedAt,
    after_id: byHash ? null : id,
    after_source: source ?? null,
    after_hash: byHash ? id : null,
    max_events: String(maxEvents),
    count_mode: count,
    budget: String(Math.max(Math.floor(budgetMs), 0)),
    lookup_types: toTextArray(lookup?.types),
    lookup_fields: lookup === undefined ? null : JSON.stringify(lookup.fields),
  };
}

/**
 * The condition of the filter and of the producer's time. Every text of a user is a value, and the condition only has its
 * number: a condition with anything else in it never reaches the database.
 */
function conditionOf({ filter, produced: { from, to } }: ListScan): { condition: string | null; values: string[] } {
  const values: string[] = [];
  const parts: string[] = [];
  if (filter !== undefined) parts.push(toSql(filter, values));
  if (from !== undefined) parts.push(`e.time >= cast(($1)[${values.push(from)}] as timestamptz)`);
  if (to !== undefined) parts.push(`e.time < cast(($1)[${values.push(to)}] as timestamptz)`);
  const condition = parts.length === 0 ? null : parts.map((part) => `(${part})`).join(" and ");
  if (condition !== null && !isBoundSql(condition)) {
    throw new TypeError("The condition of a filter has text that is not bound.");
  }
  return { condition, values };
}

/** The facts of a page, as list_events returns them in its last row. */
type Facts = {
  horizon: string;
  plan: Plan;
  scanned: number;
  stop: "events" | "bytes" | "time" | "end";
  more: boolean;
  first: Key | null;
  last: Key | null;
  count: number | null;
  relation: Count["relation"] | null;
};

/** Without id and source where the caller may not see the event. */
type Key = [receivedAt: string, id: string | null, source: string | null, hash: string];

function toPart(rows: SqlValue[][]): ListPart {
  const events: string[] = [];
  for (const [number, piece] of rows.slice(0, -1))
    events[Number(number)] = (events[Number(number)] ?? "") + String(piece);
  const facts = JSON.parse(String(rows.at(-1)?.[1])) as Facts;
  return {
    events,
    horizon: facts.horizon,
    plan: facts.plan,
    scanned: facts.scanned,
    isComplete: facts.stop !== "time",
    hasMore: facts.more,
    first: toPosition(facts.first),
    last: toPosition(facts.last),
    count:
      facts.count === null || facts.relation === null ? undefined : { value: facts.count, relation: facts.relation },
  };
}

function toPosition(key: Key | null): Position | undefined {
  if (key === null) return undefined;
  const [receivedAt, id, source, hash] = key;
  const isShort = Buffer.byteLength(JSON.stringify([id, source])) <= CURSOR_KEY_MAX_BYTES;
  return id !== null && source !== null && isShort ? [receivedAt, id, source] : [receivedAt, hash];
}

function toRequestError(error: unknown): never {
  if (!(error instanceof DatabaseError)) throw error;
  if (error.sqlState === POSITION_LOST) {
    const detail = "The event at the cursor is no longer there. Begin again without a cursor.";
    throw new RequestError("cursor_expired", detail, { cause: error });
  }
  refuseWithoutSlot(error);
}
