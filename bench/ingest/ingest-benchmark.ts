import type { Benchmark, BenchOptions, BenchReport, Check } from "../benchmark.ts";
import { ratios, type Series } from "../rounds.ts";
import { type Contender, measureIngest } from "./measure.ts";

/** B1, B2 and B12. */
export const ingestBenchmark: Benchmark = {
  name: "ingest",
  title: "Accepting events",
  about:
    "The ingest function as it is bundled for Lambda, behind `node:http`, with only the send to SQS stubbed; against bare " +
    "`node:http` that parses the body with `JSON.parse` and answers the same with `JSON.stringify`. One process on one " +
    "core, 16 keep-alive connections from another. Log lines and metrics are written as deployed. Rates are per second of the " +
    "server's own processor time. The last two send for real, to a local queue server in another process: ours as deployed, and the plain " +
    "function of bench/naive/ingest.ts (`JSON.parse`, zod, one message per event in `SendMessageBatch` of ten by the SDK), which " +
    "checks no key and logs nothing.",
  run: runIngest,
};

const SHAPES = [
  { eventsPerRequest: 1, eventBytes: 400, id: "B1", ofBare: 0.45, ofPlain: 1.2 },
  { eventsPerRequest: 100, eventBytes: 400, id: "B2", ofBare: 0.6, ofPlain: 2 },
  { eventsPerRequest: 1, eventBytes: 1_024 },
  { eventsPerRequest: 10, eventBytes: 1_024 },
  { eventsPerRequest: 100, eventBytes: 1_024 },
  { eventsPerRequest: 1_000, eventBytes: 1_024 },
  { eventsPerRequest: 10, eventBytes: 8_192 },
  { eventsPerRequest: 10, eventBytes: 49_152 },
];

async function runIngest({ rounds, quick, log }: BenchOptions): Promise<BenchReport> {
  const report: BenchReport = { series: [], checks: [], notes: [] };
  for (const { id, ofBare, ofPlain, ...shape } of quick ? SHAPES.slice(0, 2) : SHAPES) {
    const name = `${shape.eventsPerRequest} × ${shape.eventBytes.toLocaleString("en-US")} B`;
    log(name);
    const measured = await measureIngest({ ...shape, rounds, quick, withSend: id !== undefined });
    const series: Series = { shape: name, unit: "events/s", contenders: [] };
    for (const [contender, shown] of Object.entries(NAMES) as [Contender, string][]) {
      const speeds = measured.rounds.flatMap((round) => round[contender]?.requestsPerSecond ?? []);
      const figures = speeds.map((each) => each * shape.eventsPerRequest);
      if (figures.length > 0) series.contenders.push({ name: shown, figures });
    }
    report.series.push(series);
    if (!measured.pinned) report.notes.push(NOT_PINNED);
    if (id === undefined) continue;
    report.checks.push(
      { ...check(id, ofBare, shape, series, [NAMES.ours, NAMES.bare]), reached: REACHED[id] },
      check(id, ofPlain, shape, series, [NAMES.sending, NAMES.plain]),
      // The price of the check.
      check("B12", 0.95, shape, series, [NAMES.ours, NAMES.unkeyed]),
    );
  }
  return { ...report, notes: [...new Set(report.notes)] };
}

const NAMES: Record<Contender, string> = {
  ours: "ingest",
  unkeyed: "ingest without the check of the key",
  bare: "bare node:http",
  sending: "ingest, sending",
  plain: "plain function, sending",
};

function check(
  id: string,
  atLeast: number,
  { eventsPerRequest }: { eventsPerRequest: number },
  series: Series,
  [name, against]: [string, string],
): Check {
  return {
    id,
    what: `${name}, ${eventsPerRequest === 1 ? "1 event" : `${eventsPerRequest} events`} a request`,
    against: against === NAMES.unkeyed ? "the same without the check of the key" : against,
    ratios: ratios(series, name, against),
    floor: { atLeast },
  };
}

/** Processor time in profiles of the server on 2026-11-30, on a busy machine. */
const REACHED: Record<string, Check["reached"]> = {
  B1: {
    bound: 0.18,
    because:
      "of some 95 µs a request, `node:http` takes 40, where the bare server takes 30 in all; the function takes 28 where it runs twice in a " +
      "row, and twice as long after the work of a connection, because its code and data have left the processor's caches by then. Of these 28 µs the " +
      "line of log and metrics takes 10, two thirds of it for its write; the text of the message and the entry of the queue's call 5, `JSON.parse` and the scan 3, the " +
      "rule 2, the check of the key and the limits 1, validation 1, garbage collection 2; the rest are middleware, trace and promises",
  },
  B2: {
    bound: 0.15,
    because:
      "of some 1,050 µs a request, zstd takes 180 for the two messages that two retention classes need, 40 each to make its stream; `JSON.parse` 170, which " +
      "the bare server needs too; the scan for numbers, depth and the places of the events 90, validation 80, garbage collection 70, base64 and UTF-8 " +
      "60, HTTP 70. Alone, what the bare server does takes 240, so all the rest would have to fit into 160",
  },
};

const NOT_PINNED = "This machine has no `taskset`, or one core: server and load shared processor time.";
