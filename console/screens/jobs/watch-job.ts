/** The means to ask for a job again and again. */
export type Watch = {
  /** Reads the job once and says whether its numbers may still change. */
  read: () => Promise<{ isMoving: boolean; isFinished: boolean }>;
  now: () => number;
  pause: (milliseconds: number) => Promise<void>;
  /** True as soon as nobody looks at the page. */
  isUnwatched: () => boolean;
};

/** The end of a watch: nothing changes any more, nobody looks, or the outcome takes longer than a page should wait. */
export type WatchEnd = "settled" | "unwatched" | "late";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;

/** A finished job whose outcome is not known after that is looked up again by hand. */
export const OUTCOME_MS = 5 * 60_000;

/** Asks for a job each second, later less often, while it can change and somebody looks. */
export async function watchJob({ read, now, pause, isUnwatched }: Watch): Promise<WatchEnd> {
  let finishedAt: number | undefined;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(LONGEST_PAUSE_MS, wait * 1.2)) {
    const { isMoving, isFinished } = await read();
    if (!isMoving) return "settled";
    if (isFinished) finishedAt ??= now();
    if (finishedAt !== undefined && now() - finishedAt >= OUTCOME_MS) return "late";
    await pause(wait);
    if (isUnwatched()) return "unwatched";
  }
}
