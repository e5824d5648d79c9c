import * as z from "zod/mini";
import { RESULT_PIECE_CHARACTERS } from "../../core/database-limits.ts";
import { DatabaseError } from "../../core/errors.ts";
import type { FeedPage, FeedRead, FeedReader } from "../../core/feed.ts";
import { FEED_PAGE_MAX_BYTES } from "../../core/feed-limits.ts";
import type { Filter } from "../../core/filter/filter.ts";
import { isBoundSql } from "../../core/filter/is-bound-sql.ts";
import { toSql } from "../../core/filter/to-sql.ts";
import type { SqlDatabase, SqlValue } from "../../core/ports.ts";
import { textArray, toTextArray } from "./text-array.ts";

/** Documented in functions/sql/0003_feed.sql, with the indexes that it relies on. */
const readFeed = `
  select part, piece
  from read_feed(
    :tenant, :place, cast(:incarnation as uuid), cast(:number as bigint), cast(:began as bigint), cast(:event as bigint),
    cast(:forgotten as bigint), cast(:max_events as integer), ${FEED_PAGE_MAX_BYTES}, cast(:max_rows as integer), ${RESULT_PIECE_CHARACTERS},
    ${textArray(":types")}, ${textArray(":sources")}, :condition, ${textArray(":values")}
  )`;

/** The row `place` of a result. */
const placeRow = z.object({
  state: z.enum(["ok", "restored", "forgotten"]),
  incarnation: z.string(),
  number: z.string(),
  began: z.string(),
  event: z.nullable(z.string()),
  forgotten: z.string(),
  events: z.number(),
  isEnd: z.boolean(),
  isOpen: z.boolean(),
  ageMs: z.number(),
});

/** The reader of the feed: one statement a page. The text of the events is passed on without being parsed. */
export function createFeedReader(database: SqlDatabase): FeedReader {
  return {
    async read(request, deadline) {
      const { rows } = await database.execute(readFeed, toParameters(request), deadline);
      return toPage(rows);
    },
  };
}

function toParameters({ tenant, after, allowed, filter, maxEvents, maxRows }: FeedRead): Record<string, string | null> {
  const place = typeof after === "string" ? undefined : after;
  const { condition, values } = toCondition(filter);
  return {
    tenant,
    place: typeof after === "string" ? after : "after",
    incarnation: place?.incarnation ?? null,
    number: place?.number ?? null,
    began: place?.began ?? null,
    event: place?.event ?? null,
    forgotten: place?.forgotten ?? null,
    max_events: String(maxEvents),
    max_rows: String(maxRows),
    types: toTextArray(allowed.types),
    sources: toTextArray(allowed.sources),
    condition,
    values: toTextArray(values),
  };
}

function toCondition(filter: Filter | undefined): { condition: string | null; values: string[] | undefined } {
  if (filter === undefined) return { condition: null, values: undefined };
  const values: string[] = [];
  const condition = toSql(filter, values);
  // A TypeError stops: it is our own mistake, and never the caller's.
  if (!isBoundSql(condition)) throw new TypeError("The SQL of a filter has text that is not bound.");
  return { condition, values };
}

function toPage(rows: SqlValue[][]): FeedPage {
  const piecesOf = (part: string) => rows.flatMap(([name, piece]) => (name === part ? [String(piece)] : [])).join("");
  const parsed = placeRow.safeParse(JSON.parse(piecesOf("place") || "null"));
  if (!parsed.success) {
    throw new DatabaseError({
      disposition: "stop",
      reason: "unexpected_result",
      detail: "read_feed returned rows of another form.",
    });
  }
  const { state, incarnation, number, began, event, forgotten, events: count, isEnd, isOpen, ageMs } = parsed.data;
  if (state !== "ok") return { kind: state };
  const place = { incarnation, number, began, event, forgotten };
  return { kind: "page", events: piecesOf("events"), count, place, isEnd, isOpen, horizonAgeMs: ageMs };
}
