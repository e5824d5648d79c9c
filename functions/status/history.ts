import {
  HISTORY_SPANS,
  type HistoryCounts,
  type HistorySample,
  type HistorySpan,
  type HistoryTable,
  minuteOf,
  type RecordedHistory,
} from "../core/history.ts";
import type { LedgerTable } from "../core/ledger-table.ts";
import type { Clock } from "../core/ports.ts";
import type { HistoryAnswer } from "../core/status-answers.ts";
import { readAccounts, sumOf } from "./accounts.ts";

export type ReadHistoryDeps = {
  history: Pick<HistoryTable, "read">;
  table: Pick<LedgerTable, "readNotes" | "readLedgers" | "readTakenAt">;
  clock: Clock;
};

/** Reads the history of a tenant, or of all (`*`). It never asks the database. @throws AccessError */
export function createReadHistory({ history, table, clock }: ReadHistoryDeps) {
  return async function readHistory(tenant: string, span: HistorySpan): Promise<HistoryAnswer> {
    const { stepSeconds, points } = HISTORY_SPANS[span];
    const now = clock().getTime();
    const stepMs = 1_000 * stepSeconds;
    const from = (Math.floor(now / stepMs) - points + 1) * stepMs;
    const [recorded, { takenAt, accounts }] = await Promise.all([
      history.read(tenant, from),
      readAccounts(table, tenant, now),
    ]);
    const { accepted, stored, open, inFlight } = sumOf(accounts);
    const before = recorded.before ?? { accepted: accepted - inFlight, stored, open };
    const samples = [...recorded.samples, { at: minuteOf(now), accepted, stored, open }];
    const intervals = { from, stepMs, points };
    return { tenant, span, stepSeconds, takenAt, points: toPoints({ ...recorded, before, samples }, intervals) };
  };
}

/** Makes a point of each interval. Events are in the interval of the first counts that have them. */
function toPoints(
  { samples, before, refused }: RecordedHistory & { before: HistoryCounts },
  { from, stepMs, points: count }: { from: number; stepMs: number; points: number },
): HistoryAnswer["points"] {
  const points = Array.from({ length: count }, (_, index): HistoryPoint => {
    const at = new Date(from + index * stepMs).toISOString();
    return { at, accepted: 0, stored: 0, refused: 0, open: 0 };
  });
  const pointAt = (at: number) => points[Math.floor((at - from) / stepMs)];

  const openAt = new Map<HistoryPoint, number>();
  let [last, open] = [before, before.open];
  for (const sample of samples) {
    const point = pointAt(sample.at);
    if (point === undefined) open = sample.open;
    else {
      addSample(point, sample, last);
      openAt.set(point, sample.open);
    }
    last = sample;
  }
  for (const point of points) point.open = open = openAt.get(point) ?? open;
  for (const { at, count: events } of refused) {
    const point = pointAt(at);
    if (point !== undefined) point.refused += events;
  }
  return points;
}

type HistoryPoint = HistoryAnswer["points"][number];

function addSample(point: HistoryPoint, sample: HistorySample, last: HistoryCounts): void {
  // A database that was restored has stored fewer than before.
  point.accepted += Math.max(sample.accepted - last.accepted, 0);
  point.stored += Math.max(sample.stored - last.stored, 0);
  if (sample.lagMs !== undefined) point.lagMs = Math.max(sample.lagMs, point.lagMs ?? 0);
}
