/** An event on the screen, or the number of those that were not drawn at this place. */
export type LiveRow =
  | { kind: "event"; key: number; event: Record<string, unknown> }
  | { kind: "skipped"; key: number; count: number };

export type LiveState = {
  /** The newest first. */
  rows: readonly LiveRow[];
  /** Events that were drawn, and events that were not: together all that the feed gave. */
  shown: number;
  skipped: number;
  /** Rows that were drawn in the second before the last change. */
  drawn: readonly { at: number; count: number }[];
  nextKey: number;
};

export const EMPTY: LiveState = { rows: [], shown: 0, skipped: 0, drawn: [], nextKey: 1 };

/** Nobody reads faster, and a page that draws more falls behind the feed. */
export const ROWS_PER_SECOND = 50;

/** Older rows leave the screen; they stay counted. */
export const ROWS_KEPT = 200;

/** Adds a page of the feed, oldest event first. Where the second has no room for all, the newest are drawn. */
export function addEvents(state: LiveState, events: readonly Record<string, unknown>[], now: number): LiveState {
  if (events.length === 0) return state;
  const drawn = state.drawn.filter(({ at }) => now - at < 1_000);
  const room = Math.max(0, ROWS_PER_SECOND - drawn.reduce((sum, { count }) => sum + count, 0));
  const count = Math.min(room, events.length);
  const skipped = events.length - count;
  let { nextKey } = state;
  const rows = skipped === 0 ? state.rows : skip(state.rows, skipped, nextKey++);
  const added = events
    .slice(skipped)
    .map((event): LiveRow => ({ kind: "event", key: nextKey++, event }))
    .toReversed();
  return {
    rows: [...added, ...rows].slice(0, ROWS_KEPT),
    shown: state.shown + count,
    skipped: state.skipped + skipped,
    drawn: count === 0 ? drawn : [...drawn, { at: now, count }],
    nextKey,
  };
}

function skip(rows: readonly LiveRow[], count: number, key: number): readonly LiveRow[] {
  const [newest, ...others] = rows;
  if (newest?.kind === "skipped") return [{ ...newest, count: newest.count + count }, ...others];
  return [{ kind: "skipped", key, count }, ...rows];
}
