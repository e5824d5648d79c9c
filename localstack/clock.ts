/** The source of time, so that tests can bring their own. */
export type Clock = {
  now(): number;
  /** Calls `run` once after this many milliseconds; the returned function cancels that. */
  after(milliseconds: number, run: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
};
