export type Quantiles = { p50: number; p90: number; p95: number; p99: number; max: number };

/** Computes quantiles by nearest rank, so each is one of the values. Without values each is NaN, so no bound holds. */
export function quantiles(values: readonly number[]): Quantiles {
  const ascending = Float64Array.from(values).toSorted();
  const at = (share: number) => ascending[Math.ceil(share * ascending.length) - 1] ?? Number.NaN;
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1) };
}
