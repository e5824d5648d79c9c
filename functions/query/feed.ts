import type { Cursors } from "../core/cursor.ts";
import { DatabaseError, RequestError } from "../core/errors.ts";
import type { FeedPage, FeedPlace, FeedReader, StoreMark } from "../core/feed.ts";
import {
  FEED_POLL_MS,
  FEED_READ_RESERVE_MS,
  FEED_SCAN_FIRST_ROWS,
  FEED_SCAN_MAX_ROWS,
  FEED_SCAN_MS,
  FEED_SCAN_STATEMENT_MS,
} from "../core/feed-limits.ts";
import type { Filter } from "../core/filter/filter.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";

export type FeedRequest = {
  principal: Pick<Principal, "tenant" | "types" | "sources">;
  /** A cursor, or `start`. @default from now on */
  after: string | undefined;
  filter: Filter | undefined;
  limit: number;
  /** The time to wait for an event where there is none. */
  waitMs: number;
  /** Time by which the answer must be ready, ms since the epoch. */
  deadline: number;
};

export type FeedAnswer = {
  /** A JSON array of CloudEvents. */
  events: string;
  /** The cursor that goes on behind them. */
  next: string;
  /** The time for which an open transaction has held events back; 0 where none is open. */
  lagMs: number;
};

export type FeedDeps = {
  reader: FeedReader;
  cursors: Cursors;
  mark: StoreMark;
  clock: Clock;
  wait: (milliseconds: number) => Promise<unknown>;
};

/** The place, and the mark under which everything before it was read; null where there may be more. */
type Position = { place: FeedPlace; mark: string | null };

/**
 * Reads a page of the feed. Where there is no event, it looks on for some seconds through those that do not match, or waits.
 * While it waits, and also in the next request with its cursor, it does not ask the database until the mark of stored events
 * changes: an open follower lets the database sleep.
 */
export function createFeed({ reader, cursors, mark, clock, wait }: FeedDeps) {
  /** @throws RequestError `bad_cursor`, `cursor_mismatch`, `cursor_expired`; DatabaseError from the reader; AccessError */
  return async function feed(request: FeedRequest): Promise<FeedAnswer> {
    const { principal, filter, limit, deadline } = request;
    const { tenant, types, sources } = principal;
    const binding = { tenant, request: [filter ?? null, types ?? null, sources ?? null] };
    const began = clock().getTime();
    const waitUntil = Math.min(began + request.waitMs, deadline - FEED_READ_RESERVE_MS);
    const scanUntil = Math.min(began + FEED_SCAN_MS, deadline);
    const rows = createRowBudget(filter === undefined && types === undefined && sources === undefined, limit);

    let after: "start" | "now" | FeedPlace;
    let knownMark: string | null = null;
    if (request.after === undefined || request.after === "start") after = request.after ?? "now";
    else ({ place: after, mark: knownMark } = toPosition(await cursors.read("feed", binding, request.after)));

    let lagMs = 0;
    let looked: FeedPlace | undefined;
    for (;;) {
      const presentMark = (await mark.read()) ?? null;
      if (typeof after === "string" || knownMark === null || presentMark !== knownMark) {
        const asked = clock().getTime();
        const read = { tenant, after, allowed: { types, sources }, filter, maxEvents: limit, maxRows: rows.next() };
        const found = await reader.read(read, deadline).catch((error: unknown) => endLook(error, looked));
        if (found.kind === "ended") return answer("[]", { place: found.place, mark: null });
        const page = goingOn(found);
        rows.took(clock().getTime() - asked);
        // A transaction that is open now may be one without a mark.
        knownMark = page.isEnd && !page.isOpen ? presentMark : null;
        after = page.place;
        lagMs = page.isOpen ? page.horizonAgeMs : 0;
        if (page.count > 0) return answer(page.events, { place: after, mark: knownMark });
        if (!page.isEnd) {
          looked = page.place;
          if (clock().getTime() < scanUntil) continue;
          return answer("[]", { place: after, mark: knownMark });
        }
      }
      const pause = waitUntil - clock().getTime();
      if (pause <= 0) return answer("[]", { place: after, mark: knownMark });
      await wait(Math.min(pause, FEED_POLL_MS));
    }

    async function answer(events: string, position: Position): Promise<FeedAnswer> {
      return { events, next: await cursors.write("feed", binding, fromPosition(position)), lagMs };
    }
  };
}

/**
 * A statement that fails ends a look that has come to a place: without an answer the next request would begin before it, look
 * at as many rows, and fail in the same way. @throws the error of a first statement
 */
function endLook(error: unknown, looked: FeedPlace | undefined): { kind: "ended"; place: FeedPlace } {
  if (looked === undefined || !(error instanceof DatabaseError) || !error.isOutage) throw error;
  return { kind: "ended", place: looked };
}

/** @throws RequestError `cursor_expired` */
function goingOn(page: FeedPage): Extract<FeedPage, { kind: "page" }> {
  switch (page.kind) {
    case "page":
      return page;
    case "restored":
      throw expired(
        "The database was restored from a backup, and does not have all of what was read with this cursor.",
      );
    case "forgotten":
      throw expired("Events after this cursor are no longer retained, so they cannot be read with it.");
  }
}

function expired(why: string): RequestError {
  return new RequestError(
    "cursor_expired",
    `${why} Go on with \`after=start\`, which gives everything that is retained, some of it again; or without \`after\`, which gives only what is stored from now on.`,
  );
}

/**
 * Rows that the next statement looks at. Where every row is an event of the page, a page needs no more; else twice as many
 * as before, while that is quick.
 */
function createRowBudget(everyRowMatches: boolean, limit: number) {
  let rows = everyRowMatches ? limit : Math.max(limit, FEED_SCAN_FIRST_ROWS);
  return {
    next: () => rows,
    took(milliseconds: number) {
      if (!everyRowMatches && milliseconds < FEED_SCAN_STATEMENT_MS) rows = Math.min(2 * rows, FEED_SCAN_MAX_ROWS);
    },
  };
}

/** A cursor has no room for names. */
function fromPosition({ place: { incarnation, number, began, event, forgotten }, mark }: Position): CursorPosition {
  return [incarnation, number, began, event, forgotten, mark];
}

function toPosition(position: unknown): Position {
  const [incarnation, number, began, event, forgotten, mark] = position as CursorPosition;
  return { place: { incarnation, number, began, event, forgotten }, mark };
}

type CursorPosition = [
  incarnation: string,
  number: string,
  began: string,
  event: string | null,
  forgotten: string,
  mark: string | null,
];
