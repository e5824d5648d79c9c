import type { Benchmark } from "./benchmark.ts";
import { bundlesBenchmark } from "./bundles/bundles-benchmark.ts";
import { costBenchmark } from "./cost/cost-benchmark.ts";
import { deadLettersBenchmark } from "./dead-letters/dead-letters-benchmark.ts";
import { ingestBenchmark } from "./ingest/ingest-benchmark.ts";
import { refusalsBenchmark } from "./ingest/refusals-benchmark.ts";
import { notifyBenchmark } from "./notify/notify-benchmark.ts";
import { clientsBenchmark } from "./pipeline/clients-benchmark.ts";
import { readableBenchmark } from "./pipeline/readable-benchmark.ts";
import { throughputBenchmark } from "./pipeline/throughput-benchmark.ts";
import { queryBenchmark } from "./query/query-benchmark.ts";
import { retentionBenchmark } from "./retention/retention-benchmark.ts";
import { refusedBenchmark } from "./store/refused-benchmark.ts";
import { scaleBenchmark } from "./store/scale-benchmark.ts";
import { storeBenchmark } from "./store/store-benchmark.ts";
import { walBenchmark } from "./store/wal-benchmark.ts";

/** All benchmarks, in the order of the page. */
export const BENCHMARKS: readonly Benchmark[] = [
  ingestBenchmark,
  refusalsBenchmark,
  storeBenchmark,
  throughputBenchmark,
  readableBenchmark,
  refusedBenchmark,
  bundlesBenchmark,
  walBenchmark,
  costBenchmark,
  clientsBenchmark,
  deadLettersBenchmark,
  queryBenchmark,
  notifyBenchmark,
  retentionBenchmark,
  scaleBenchmark,
];
