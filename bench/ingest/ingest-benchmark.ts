import type { Benchmark, BenchOptions, BenchReport, Check } from "../benchmark.ts";
import { ratios, type Series } from "../rounds.ts";
import { measureIngest } from "./measure.ts";

/** B1, B2 and B12. */
export const ingestBenchmark: Benchmark = {
  name: "ingest",
  title: "Accepting events",
  about:
    "The ingest function as it is bundled for Lambda, behind `node:http`, with only the send to SQS stubbed; against bare " +
    "`node:http` that parses the body with `JSON.parse` and answers the same with `JSON.stringify`. One process on one " +
    "core, 16 keep-alive connections from another. Log lines and metrics are written as deployed. Rates are per second of the " +
    "server's own processor time.",
  run: runIngest,
};

const SHAPES = [
  { eventsPerRequest: 1, eventBytes: 400, id: "B1", atLeast: 0.8 },
  { eventsPerRequest: 100, eventBytes: 400, id: "B2", atLeast: 0.7 },
  { eventsPerRequest: 1, eventBytes: 1_024 },
  { eventsPerRequest: 10, eventBytes: 1_024 },
  { eventsPerRequest: 100, eventBytes: 1_024 },
  { eventsPerRequest: 1_000, eventBytes: 1_024 },
  { eventsPerRequest: 10, eventBytes: 8_192 },
  { eventsPerRequest: 10, eventBytes: 49_152 },
];

async function runIngest({ rounds, quick, log }: BenchOptions): Promise<BenchReport> {
  const report: BenchReport = { series: [], checks: [], notes: [] };
  for (const { id, atLeast, ...shape } of quick ? SHAPES.slice(0, 2) : SHAPES) {
    const name = `${shape.eventsPerRequest} × ${shape.eventBytes.toLocaleString("en-US")} B`;
    log(name);
    const measured = await measureIngest({ ...shape, rounds, quick });
    const speed = (contender: "ours" | "unkeyed" | "bare") =>
      measured.rounds.map((round) => round[contender].requestsPerSecond * shape.eventsPerRequest);
    const series: Series = {
      shape: name,
      unit: "events/s",
      contenders: [
        { name: "ingest", figures: speed("ours") },
        { name: UNKEYED, figures: speed("unkeyed") },
        { name: "bare node:http", figures: speed("bare") },
      ],
    };
    report.series.push(series);
    if (!measured.pinned) report.notes.push(NOT_PINNED);
    if (id !== undefined && atLeast !== undefined) {
      report.checks.push(check(id, atLeast, shape, series), checkOfKey(shape, series));
    }
  }
  return { ...report, notes: [...new Set(report.notes)] };
}

const UNKEYED = "ingest without the check of the key";

/** B12: the price of the check. */
function checkOfKey({ eventsPerRequest }: { eventsPerRequest: number }, series: Series): Check {
  return {
    id: "B12",
    what: `ingest, ${eventsPerRequest === 1 ? "1 event" : `${eventsPerRequest} events`} a request`,
    against: "the same without the check of the key",
    ratios: ratios(series, "ingest", UNKEYED),
    floor: { atLeast: 0.95 },
  };
}

function check(id: string, atLeast: number, { eventsPerRequest }: { eventsPerRequest: number }, series: Series): Check {
  return {
    id,
    what: `ingest, ${eventsPerRequest === 1 ? "1 event" : `${eventsPerRequest} events`} a request`,
    against: "bare node:http",
    ratios: ratios(series, "ingest", "bare node:http"),
    floor: { atLeast },
    reached: REACHED[id],
  };
}

/** Shares of the function's server in a profile of 2026-11-21. */
const REACHED: Record<string, Check["reached"]> = {
  B1: {
    bound: 0.3,
    because:
      "the function takes half of the processor time: a quarter for the rule (a fifth of that is `JSON.parse`), a tenth for the " +
      "log line and the metrics, the rest for the proxy event, middleware and promises",
  },
  B2: {
    bound: 0.35,
    because:
      "`JSON.parse` takes 30 %, HTTP 25 %, the scan for numbers and depth 11 %, the checks of attributes and data " +
      "12 %, base64 and UTF-8 5 %, the queue's entries 4 %",
  },
};

const NOT_PINNED = "This machine has no `taskset`, or one core: server and load shared processor time.";
