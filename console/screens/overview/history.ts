/** The answer to `GET /status/history`: counts within each interval, and dead letters and lag at its end. */
export type History = {
  tenant: string;
  span: string;
  takenAt?: string;
  points: readonly { at: string; accepted: number; stored: number; refused: number; open: number; lagMs?: number }[];
};

type Rates = {
  /** The beginnings of the intervals, in seconds. */
  times: number[];
  accepted: number[];
  stored: number[];
  refused: number[];
  open: number[];
  lag: (number | null)[];
};

/** Events a second of each interval. */
export function perSecond({ points, span }: History): Rates {
  const times = points.map(({ at }) => Date.parse(at) / 1_000);
  const seconds = INTERVAL_SECONDS[span] ?? 60;
  const rate = (read: (point: History["points"][number]) => number) => points.map((point) => read(point) / seconds);
  return {
    times,
    accepted: rate(({ accepted }) => accepted),
    stored: rate(({ stored }) => stored),
    refused: rate(({ refused }) => refused),
    open: points.map(({ open }) => open),
    lag: points.map(({ lagMs }) => lagMs ?? null),
  };
}

const INTERVAL_SECONDS: Record<string, number | undefined> = { "1h": 60, "24h": 600, "7d": 3_600 };
