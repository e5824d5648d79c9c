const DAY_MS = 86_400_000;
/** The numbers of days to choose from. */
export const SPANS = [1, 7, 30] as const;

/** The days (UTC) that the address names: the last seven where it names none. */
export function dayRange(params: URLSearchParams, now: number): { from: string; to: string; days: number } {
  const asked = Number(params.get("days"));
  const days = SPANS.find((each) => each === asked) ?? 7;
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return { from: day(now - (days - 1) * DAY_MS), to: day(now), days };
}
