import type { Series } from "./rounds.ts";

/** The options of one run of a benchmark. */
export type BenchOptions = {
  rounds: number;
  /** Smaller shapes and fewer rounds, for a result in seconds. These figures are not published. */
  quick: boolean;
  /** Rows in the tables of queries. @default the benchmark's own number */
  rows: number | undefined;
  /** Prints one line of progress. */
  log: (line: string) => void;
};

/** A ratio with the bound that it has to keep. */
export type Check = {
  /** The row in the table of docs/benchmarks.md, for example `B3`. */
  id: string;
  what: string;
  against: string;
  /** One ratio per round, or a single figure. */
  ratios: readonly number[];
  /** The wanted bound of the median ratio. */
  floor: { atLeast: number } | { atMost: number };
  /** For a wanted bound that is known to be out of reach: the bound that the run enforces instead, and the reason. */
  reached?: { bound: number; because: string };
};

export type BenchReport = {
  series: Series[];
  checks: Check[];
  /** Sentences that explain the figures. */
  notes: string[];
};

export type Benchmark = {
  /** The name for `--only`. */
  name: string;
  title: string;
  /** The method of measurement, printed on the page. */
  about: string;
  run: (options: BenchOptions) => Promise<BenchReport>;
};
