import { quantiles } from "../../../cli/quantiles.ts";
import { anomalies, anomalyNames, isAnywhere, isRejected, type Place } from "./anomalies.ts";
import type { AtRest } from "./at-rest.ts";
import type { History } from "./history.ts";
import { type Counts, createFindings, type Findings, type Report, report } from "./report.ts";
import { createTally, type Tally } from "./tally.ts";

/**
 * Compares the clients' history with the stack at rest, in linear time, and leaves the history unchanged. A history without
 * attempts is `ok`, so a test must also expect a number of acknowledged events.
 * @see https://github.com/jepsen-io/jepsen/blob/main/jepsen/src/jepsen/checker.clj (set-full, total-queue)
 */
export function check(history: History, atRest: AtRest): Report {
  const findings = createFindings();
  const tally = createTally(history);
  fill(tally, atRest, findings.counts);
  const latencies: number[] = [];
  for (const place of tally.places()) {
    classify(place, findings);
    const ackedAt = place.attempted?.ackedAt;
    if (ackedAt !== undefined && place.storedAt !== undefined) latencies.push(Math.max(0, place.storedAt - ackedAt));
  }
  coverByUnread(findings);
  const { p50, p99, max } = quantiles(latencies);
  return report(findings, { p50, p99, max });
}

function fill(tally: Tally, { stored, deadLetters, queued }: AtRest, counts: Counts): void {
  for (const row of stored) {
    counts.rows += 1;
    tally.stored(row);
  }
  for (const { keys, unread = 0 } of deadLetters) {
    counts.deadLetterMessages += 1;
    counts.unread += unread;
    for (const key of keys) tally.deadLettered(key);
  }
  for (const { keys, unread = 0 } of queued) {
    counts.queuedMessages += 1;
    counts.unread += unread;
    for (const key of keys) tally.queued(key);
  }
}

function classify(place: Place, { counts, examples }: Findings): void {
  for (const name of anomalyNames) {
    if (!anomalies[name].is(place)) continue;
    counts[name] += 1;
    if (examples[name].length < EXAMPLES_MAX) examples[name].push(place);
  }
  const { attempted, rows, deadLetters, queued } = place;
  if (attempted === undefined) return;
  counts.attempted += 1;
  if (attempted.ackedAt !== undefined) {
    counts.acknowledged += 1;
    // Count each key once, so that the ledger adds up.
    if (rows > 0) counts.stored += 1;
    else if (deadLetters > 0) counts.deadLettered += 1;
    else if (queued > 0) counts.queued += 1;
  } else if (isRejected(place)) {
    counts.rejected += 1;
  } else {
    counts.indeterminate += 1;
    if (isAnywhere(place)) counts.recovered += 1;
  }
}

/** More examples do not help to find the cause. */
const EXAMPLES_MAX = 20;

/** Deducts from the lost events those that are known to be in unreadable messages, although not by name. */
function coverByUnread({ counts, examples }: Findings): void {
  counts.unread = Math.min(counts.unread, counts.lost);
  counts.lost -= counts.unread;
  if (counts.lost === 0) examples.lost = [];
}
