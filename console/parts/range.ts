/** A range of time in the parameters of a screen: `range=24h`, or `from` and `to`. */
export const PRESETS = ["15m", "1h", "24h", "7d", "30d"] as const;
export type Preset = (typeof PRESETS)[number];

const MINUTE = 60_000;
const PRESET_MS: Record<Preset, number> = {
  "15m": 15 * MINUTE,
  "1h": 60 * MINUTE,
  "24h": 1_440 * MINUTE,
  "7d": 7 * 1_440 * MINUTE,
  "30d": 30 * 1_440 * MINUTE,
};

export type Range = {
  /** RFC 3339. */
  from: string;
  /** Undefined where the range ends now. */
  to?: string | undefined;
  preset?: Preset | undefined;
};

/** The range that parameters name, as of `now`. */
export function rangeOf(params: URLSearchParams, fallback: Preset, now = Date.now()): Range {
  const [from, to] = [instant(params.get("from")), instant(params.get("to"))];
  const preset = PRESETS.find((each) => each === params.get("range")) ?? fallback;
  if (from === undefined && to === undefined) return { from: iso(now - PRESET_MS[preset]), preset };
  const end = to === undefined ? now : Date.parse(to);
  return { from: from ?? iso(end - PRESET_MS[preset]), to };
}

/** The lengths of buckets that `POST /events/aggregate` knows, of which all but the last are of a fixed length. */
const BUCKETS = [
  ["PT1M", MINUTE],
  ["PT5M", 5 * MINUTE],
  ["PT15M", 15 * MINUTE],
  ["PT1H", 60 * MINUTE],
  ["P1D", 1_440 * MINUTE],
] as const;

export type Buckets = { from: string; to: string; every: (typeof BUCKETS)[number][0]; ms: number };

/**
 * Divides a range into at most `most` buckets, the shortest ones that suffice. The ends are moved outwards to whole buckets,
 * so that rollups have the answer.
 */
export function bucketsOf({ from, to }: Range, most = 180, now = Date.now()): Buckets {
  const [start, end] = [Date.parse(from), to === undefined ? now : Date.parse(to)];
  const [every, ms] = BUCKETS.find(([, each]) => Math.ceil((end - start) / each) <= most) ?? ["P1D", 1_440 * MINUTE];
  const first = Math.floor(start / ms) * ms;
  return { from: iso(first), to: iso(Math.max(Math.ceil(end / ms) * ms, first + ms)), every, ms };
}

/** The beginnings of the buckets, in seconds. */
export function bucketStarts({ from, to, ms }: Buckets): number[] {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  return Array.from({ length: Math.round((end - start) / ms) }, (_, index) => (start + index * ms) / 1_000);
}

function instant(text: string | null): string | undefined {
  if (text === null) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : iso(ms);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
