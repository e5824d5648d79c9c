/** The answer to `GET /status/history`: counts within each interval, and dead letters and lag at its end. */
export type History = {
  tenant: string;
  span: string;
  /** The length of an interval. */
  stepSeconds: number;
  /** When counts were last taken; there are none of events since. */
  takenAt?: string;
  /** The last interval is not over. */
  points: readonly { at: string; accepted: number; stored: number; refused: number; open: number; lagMs?: number }[];
};

type Values = (number | null)[];

type Rates = {
  /** The beginnings of the intervals, in seconds. */
  times: number[];
  accepted: Values;
  stored: Values;
  refused: Values;
  open: Values;
  lag: Values;
};

/** A shorter part of an interval makes a rate of chance. */
const SHORTEST_SECONDS = 20;

/** Events a second of each interval; of the last one those of the part that was counted, where that is long enough. */
export function perSecond({ points, stepSeconds, takenAt }: History): Rates {
  const times = points.map(({ at }) => Date.parse(at) / 1_000);
  const counted = takenAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(takenAt) / 1_000;
  const secondsOf = (at: number, index: number) =>
    index === points.length - 1 && at < counted && counted < at + stepSeconds ? counted - at : stepSeconds;
  const rate = (read: (point: History["points"][number]) => number) =>
    points.map((point, index) => {
      const length = secondsOf(times[index] ?? 0, index);
      return length < SHORTEST_SECONDS ? null : read(point) / length;
    });
  return {
    times,
    accepted: rate(({ accepted }) => accepted),
    stored: rate(({ stored }) => stored),
    refused: rate(({ refused }) => refused),
    open: points.map(({ open }) => open),
    lag: points.map(({ lagMs }) => lagMs ?? null),
  };
}
