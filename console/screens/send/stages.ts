/** The fate of an event that was accepted, as far as it is known. */
export type Fate =
  | { kind: "waiting" }
  | { kind: "stored"; event: Record<string, unknown> }
  | { kind: "dead_lettered"; reason: string; message?: string; deadLetter?: string }
  /** It is accepted all the same; only this page asks no longer. */
  | { kind: "given_up" };

export type FollowStoredDeps = {
  /** Reads the event once; undefined while it is not there. */
  read: () => Promise<Exclude<Fate, { kind: "waiting" | "given_up" }> | undefined>;
  /** Whether somebody waits for it: a hidden tab asks nothing. */
  isWatched: () => boolean;
  now: () => number;
  pause: (milliseconds: number) => Promise<void>;
};

/** Events are stored within a second; after a minute something holds them back, which other screens show. */
export const FOLLOW_MS = 60_000;

const FIRST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 2_000;

/** Asks for an event at growing intervals until its fate is known, for a minute at most, and while somebody watches. */
export async function followStored({ read, isWatched, now, pause }: FollowStoredDeps): Promise<Fate> {
  const end = now() + FOLLOW_MS;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(LONGEST_PAUSE_MS, wait * 1.5)) {
    if (!isWatched()) return { kind: "given_up" };
    const fate = await read();
    if (fate !== undefined) return fate;
    if (now() + wait >= end) return { kind: "given_up" };
    await pause(wait);
  }
}
