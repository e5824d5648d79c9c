import { REFUSAL_COUNTED_MESSAGES } from "./refusal-limits.ts";

/** The history of an installation: what was accepted, stored and refused in each interval of the last days. */

/** The spans of an answer, each with the length of its intervals and their number. */
export const HISTORY_SPANS = {
  "1h": { stepSeconds: 60, points: 60 },
  "24h": { stepSeconds: 600, points: 144 },
  "7d": { stepSeconds: 3_600, points: 168 },
} as const;

export type HistorySpan = keyof typeof HISTORY_SPANS;

export const SPAN_NAMES = ["1h", "24h", "7d"] as const satisfies readonly HistorySpan[];

/** Counts are kept by the minute. */
export const HISTORY_MINUTE_MS = 60_000;

/** The longest span, and a day in which a clock may be wrong. */
export const HISTORY_KEPT_MS = 8 * 86_400_000;

/** All that was accepted and stored up to a time, and the dead letters that were open then. */
export type HistoryCounts = { accepted: number; stored: number; open: number };

/** The counts at the end of a minute. */
export type HistorySample = HistoryCounts & {
  /** The beginning of the minute, ms since the epoch. */
  at: number;
  /** The lag of the consumer, where it stored in that minute. */
  lagMs?: number | undefined;
};

/** Refused events of a minute. */
type RefusedOfMinute = { at: number; count: number };

/** Refused events of a tenant in a message, which is counted once. */
export type RefusedPart = RefusedOfMinute & { message: string };

export type RecordedHistory = {
  /** In the order of time. */
  samples: HistorySample[];
  /** The counts before the first of `samples`; undefined where nothing was ever kept, or nothing for a week. */
  before: HistoryCounts | undefined;
  refused: RefusedOfMinute[];
};

/** The history of each tenant and of all (`*`), without the database. All calls throw AccessError. */
export type HistoryTable = {
  /**
   * Keeps the counts of a minute, unless later ones are kept.
   * @param before the counts that were known before
   * @param takenAt the time of the counts, ms since the epoch
   */
  writeSample(tenant: string, sample: HistorySample, before: HistoryCounts, takenAt: number): Promise<void>;
  /** Adds refused events to their minutes. A message counts once while it is remembered. */
  addRefused(tenant: string, parts: readonly RefusedPart[]): Promise<void>;
  /** Reads what was kept from a time on, and the last counts before it; it may have more of the time before. */
  read(tenant: string, from: number): Promise<RecordedHistory>;
};

/** The beginning of the minute of a time. */
export const minuteOf = (time: number): number => Math.floor(time / HISTORY_MINUTE_MS) * HISTORY_MINUTE_MS;

/** Refused events of some minutes, by the beginning of each; with the messages that are counted in them, the latest last. */
export type StoredRefused = { minutes: Record<string, number>; counted: string[] };

/** Adds the parts that are not counted yet; undefined where all are. */
export function addRefusedParts(
  { minutes, counted }: StoredRefused,
  parts: readonly RefusedPart[],
): StoredRefused | undefined {
  const known = new Set(counted);
  const added = parts.filter(({ message }) => !known.has(message));
  if (added.length === 0) return undefined;
  const sums = { ...minutes };
  for (const { at, count } of added) sums[at] = (sums[at] ?? 0) + count;
  const remembered = Math.max(REFUSAL_COUNTED_MESSAGES, added.length);
  return { minutes: sums, counted: [...counted, ...added.map(({ message }) => message)].slice(-remembered) };
}
