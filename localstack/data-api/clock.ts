/** Time as the Data API sees it; tests bring their own and turn it forward. */
export type Clock = {
  now(): number;
  /** Calls `run` once after this many milliseconds; the result cancels that. */
  after(milliseconds: number, run: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
};
