import type { Series } from "./rounds.ts";

/** What a benchmark is given. */
export type BenchOptions = {
  rounds: number;
  /** A look in seconds: smaller shapes, fewer rounds; its figures are not published. */
  quick: boolean;
  /** Says what goes on. */
  log: (line: string) => void;
};

/** A ratio that has to hold. */
export type Check = {
  /** Of the table of floors, for example `B3`. */
  id: string;
  what: string;
  against: string;
  /** One a round, or a single figure. */
  ratios: readonly number[];
  /** The ratio we want: at least so much, or at most. */
  floor: { atLeast: number } | { atMost: number };
  /** What is known to be out of reach, and why: then the run fails only beyond this. */
  reached?: { bound: number; because: string };
};

export type BenchReport = {
  series: Series[];
  checks: Check[];
  /** Sentences a reader of the figures needs. */
  notes: string[];
};

export type Benchmark = {
  /** For `--only`. */
  name: string;
  title: string;
  /** How it is measured, for the page. */
  about: string;
  run: (options: BenchOptions) => Promise<BenchReport>;
};
