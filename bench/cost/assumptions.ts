import { EXPORT_STEP_MS } from "../../functions/core/export-limits.ts";

/**
 * Lambda gives a function a whole processor at this memory and a share of one below it, so a computation takes
 * proportionally longer.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
 */
export const WHOLE_PROCESSOR_MEGABYTES = 1769;

/** db.r6g.large has 2 processors and 16 GiB, and an ACU about 2 GiB. AWS names no figure. */
export const PROCESSORS_PER_ACU = 0.25;

/** The minimum capacity of a database that is not paused, and so the minimum cost of any rate. */
export const MINIMUM_ACU = 0.5;

/**
 * Aurora bills one write for each 4 KB of log. It combines smaller records that are due at the same time, as PostgreSQL
 * combines them here.
 * @see https://aws.amazon.com/blogs/database/planning-i-o-in-amazon-aurora/
 */
export const IO_BYTES = 4096;

/**
 * Log lines that no function writes, with CloudWatch's 26 bytes each. Lambda's START, END and REPORT with the trace id of an invocation,
 * which our functions leave out (lib/sluice-function.ts); and the API's access log of a request (lib/api.ts), which the naive pattern
 * does without.
 */
export const OTHER_LOG_BYTES = {
  ours: { invocation: 0, request: 99 },
  naive: { invocation: 450, request: 0 },
} as const;

/**
 * The sampling rule of the stack (lib/trace-sampling.ts) traces the first request of each second and this share of the others.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
 */
export const TRACED_PER_SECOND = 1;
export const TRACED_SHARE = 0.01;

/** An idle event source has this many pollers, and each polls again after 20 s. */
export const IDLE_POLLERS = 5;
export const IDLE_POLL_SECONDS = 20;

/** A page of an export: the Data API's answer of a megabyte, and its compression. */
export const EXPORT_PAGE_SECONDS = 0.1;
const EXPORT_PAGE_MILLISECONDS = 1_000 * EXPORT_PAGE_SECONDS;

/** A step reads for half a minute. */
export const EXPORT_PAGES_PER_STEP = EXPORT_STEP_MS / EXPORT_PAGE_MILLISECONDS;

/** The assumptions that no run on this machine can measure, printed on docs/cost.md. */
export const assumptions: readonly string[] = [
  "List prices of us-east-1 in their first tier, no free tier. Storage ($0.10 per GB-month in Aurora), secrets and WAF are not in it: they cost by the month, not by the event; so do alarms and metrics, which are in a table of their own.",
  `Lambda: the milliseconds measured on this machine; those in which the function computed count ${WHOLE_PROCESSOR_MEGABYTES} / memory times, because Lambda gives it only that share of a processor. Waiting counts as measured, and on AWS SQS and the Data API take longer to answer than here. Cold starts are left out.`,
  `Aurora: processor seconds of PostgreSQL measured on this machine, ${PROCESSORS_PER_ACU} processors to an ACU, and never less than ${MINIMUM_ACU} ACU for as long as a million events take at the given rate.`,
  `Aurora I/O: one write for each ${IO_BYTES} bytes of WAL, and at least one for each time PostgreSQL wrote its WAL out, because a commit waits for that. Both measured on this machine.`,
  "SQS: receives without messages are those of the local event source. How often Lambda polls a queue that is busy is not published.",
  `Logs: what the functions wrote, and ${OTHER_LOG_BYTES.ours.request} bytes of the API's access log a request. The naive functions write nothing, and have ${OTHER_LOG_BYTES.naive.invocation} bytes of Lambda's own lines an invocation, which ours leave out.`,
  `Watching: AWS prorates metrics of our own by the hour in which they are reported. The free ten alarm metrics of an account are not subtracted, and its three free dashboards are.`,
  `Traces: the sampling rule of the stack, ${TRACED_PER_SECOND} request a second and ${100 * TRACED_SHARE} % of the others, the same for both.`,
  "DynamoDB: the calls of ingest and consume in the run: keys and tenants, which each function process reads every 10 s; the last use of keys; the numbers of accepted events, which a process notes once a second at most; and the mark, which consume changes after each batch. Every item is below 1 KB. The run's tenant has no limit: one of a tenant or key adds writes of leases, at most one per 1,000 events with a burst of 20,000 or more, and one per 80 to 125 events with the burst of one second at a limit of 1,000 a second, $0.005 to $0.008. The naive functions check no keys.",
  "Snapshots of the ledger: one a minute, as often as there can be, with an item of the ledger and one of the history for the tenant and for all, each below 1 KB; a refusal adds a write of the history a minute. Their messages, and the function that takes them once a minute, are left out.",
  `Exports: the limits of this repository and published units. A page of ${EXPORT_PAGE_MILLISECONDS} ms, its compression included, in a function of 512 MB. The events compress as the benchmark's do, whose notes are random text: others compress better. The database's ACUs, which a running database has anyway, and Lambda's log lines are left out, and each file is downloaded once.`,
  "EventBridge and Firehose: by their published units, called by the client itself. What stores, deduplicates and answers queries behind them comes on top.",
];
