/** A part of the feed, as `GET /feed` answers it. */
export type FeedPage = { events: readonly unknown[]; next: string; lagMs: number };

export type FollowDeps = {
  /** Asks for the events behind a cursor, from now on without one; rejects when the signal is aborted. */
  ask: (after: string | undefined, signal: AbortSignal) => Promise<FeedPage>;
  /** Gets each page once, in order. Its `next` is the place from which a later `follow` misses nothing. */
  onPage: (page: FeedPage) => void;
  /** Says that the feed is asked again after a wait, and why; undefined as soon as it answers. */
  onWait: (wait: { error: unknown; milliseconds: number } | undefined) => void;
  pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** The wait before the same request may succeed; undefined where it never will. */
  retryAfter: (error: unknown, attempt: number) => number | undefined;
};

/**
 * Follows the feed until the signal is aborted. The cursor moves with a page that was handed over and never without, so
 * whoever goes on from the last page's `next` gets every event.
 * @throws the error of a request that is not worth repeating
 */
export async function follow(
  { ask, onPage, onWait, pause, retryAfter }: FollowDeps,
  from: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  let cursor = from;
  let attempt = 0;
  while (!signal.aborted) {
    try {
      const page = await ask(cursor, signal);
      if (attempt > 0) onWait(undefined);
      attempt = 0;
      cursor = page.next;
      onPage(page);
    } catch (error) {
      if (signal.aborted) return;
      const milliseconds = retryAfter(error, attempt);
      if (milliseconds === undefined) throw error;
      attempt += 1;
      onWait({ error, milliseconds });
      await pause(milliseconds, signal);
    }
  }
}
