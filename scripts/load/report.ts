import { toTable } from "../../cli/to-table.ts";
import { quantiles } from "../../cli/quantiles.ts";
import type { LoadVerdict } from "./post.ts";

/** Counts the verdicts of a run. An event that is sent again counts once. */
export function createTally() {
  const tally = {
    sent: 0,
    requests: 0,
    accepted: 0,
    refused: 0,
    /** Events without a mistake that were refused, for example by a limit. */
    refusedGood: 0,
    byCode: new Map<string, number>(),
    /** From the due time of each request to its answer. */
    answerMs: [] as number[],
    /** Events whose verdict is not known; they have to be sent again. */
    unknown: 0,
    add(verdicts: readonly LoadVerdict[]): void {
      for (const verdict of verdicts) {
        if (verdict.status === "accepted") tally.accepted += 1;
        else if (verdict.status === "unknown") tally.unknown += 1;
        else {
          tally.refused += 1;
          if (!verdict.event.isBad) tally.refusedGood += 1;
          tally.byCode.set(verdict.code, (tally.byCode.get(verdict.code) ?? 0) + 1);
        }
      }
    },
  };
  return tally;
}

export type Tally = ReturnType<typeof createTally>;

export type LoadResult = {
  tally: Tally;
  seconds: number;
  /** Events that were sent again after the run, because nothing was known of them. */
  sentAgain: number;
  readableMs: readonly number[];
  stored: number | undefined;
  deadLetters: number | undefined;
};

/** Events that were accepted, and are neither stored nor dead letters; undefined where the stored ones could not be counted. */
export function lostOf({ tally, stored, deadLetters = 0 }: LoadResult): number | undefined {
  return stored === undefined ? undefined : Math.max(0, tally.accepted - stored - deadLetters);
}

/** The run as one JSON document. */
export function toJson(result: LoadResult) {
  const { tally, seconds, sentAgain, readableMs, stored, deadLetters } = result;
  return {
    seconds,
    events: tally.sent,
    requests: tally.requests,
    accepted: tally.accepted,
    refused: tally.refused,
    refusedWithoutMistake: tally.refusedGood,
    refusedByCode: Object.fromEntries(tally.byCode),
    unknown: tally.unknown,
    sentAgain,
    answerMs: rounded(tally.answerMs),
    readableMs: { probes: readableMs.length, ...rounded(readableMs) },
    stored,
    deadLetters,
    lost: lostOf(result),
  };
}

function rounded(values: readonly number[]) {
  if (values.length === 0) return undefined;
  return Object.fromEntries(Object.entries(quantiles(values)).map(([name, value]) => [name, Math.round(value)]));
}

/** The run as a table for people. */
export function toText(result: LoadResult, columns: number): string {
  const { tally, seconds, sentAgain, readableMs, stored, deadLetters } = result;
  const count = (value: number | undefined) => (value === undefined ? "not known" : value.toLocaleString("en-US"));
  const rate = seconds === 0 ? 0 : Math.round(tally.sent / seconds);
  const first = ["sent", count(tally.sent), `in ${count(tally.requests)} requests, ${count(rate)} events/s`];
  const rows = [
    ["accepted", count(tally.accepted), ""],
    ["refused", count(tally.refused), `${count(tally.refusedGood)} of them without a mistake of this command`],
    ...[...tally.byCode].toSorted(([, a], [, b]) => b - a).map(([code, events]) => [`  ${code}`, count(events), ""]),
    ["sent again", count(sentAgain), "after the run, because nothing was known of them"],
    ["not known", count(tally.unknown), "no verdict, also when sent again"],
    ["answered after", ...times(tally.answerMs, "from the time at which the request was due")],
    ["readable after", ...times(readableMs, `from the acceptance; ${count(readableMs.length)} probes`)],
    ["stored", count(stored), ""],
    ["dead letters", count(deadLetters), ""],
    ["lost", count(lostOf(result)), "accepted, and neither stored nor a dead letter"],
  ];
  return toTable(first, rows, columns);
}

function times(values: readonly number[], since: string): [string, string] {
  if (values.length === 0) return ["-", "none was measured"];
  const { p50, p95, p99, max } = quantiles(values);
  const [middle, ...others] = [p50, p95, p99, max].map((value) => `${Math.round(value)} ms`);
  return [middle ?? "", `p50; p95 ${others[0]}, p99 ${others[1]}, most ${others[2]}; ${since}`];
}
