export type Quantiles = { p50: number; p90: number; p95: number; p99: number; max: number };

/** By nearest rank: each quantile is one of the values. Of a list without values, each is NaN. */
export function quantiles(values: readonly number[]): Quantiles {
  const ascending = Float64Array.from(values).toSorted();
  const at = (share: number) => ascending[Math.ceil(share * ascending.length) - 1] ?? Number.NaN;
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1) };
}
