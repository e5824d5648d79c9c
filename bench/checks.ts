import type { Check } from "./benchmark.ts";
import { figure } from "./plot.ts";
import { spread } from "./rounds.ts";

/** Tells whether the median keeps the enforced bound: `reached` where the wanted one is known to be out of reach. */
export function holds({ ratios, floor, reached }: Check): boolean {
  const { median } = spread(ratios);
  return "atLeast" in floor ? median >= (reached?.bound ?? floor.atLeast) : median <= (reached?.bound ?? floor.atMost);
}

/** Tells whether the median keeps the wanted bound. */
export function isMet(check: Check): boolean {
  return holds({ ...check, reached: undefined });
}

/** Formats the wanted bound, for example `≥ 0.60`. */
export function wanted({ floor }: Check): string {
  return "atLeast" in floor ? `≥ ${floor.atLeast}` : `≤ ${floor.atMost}`;
}

/** The worst of some medians: the lowest where a bound is wanted from below. */
export function worst({ floor }: Pick<Check, "floor">, medians: readonly number[]): number {
  return "atLeast" in floor ? Math.min(...medians) : Math.max(...medians);
}

export function ratioText({ ratios }: Check): string {
  const { median } = spread(ratios);
  return ratios.length === 1 ? figure(median) : `${figure(median)} (${rangeText(ratios)})`;
}

export function rangeText(figures: readonly number[]): string {
  const { min, max } = spread(figures);
  return `${figure(min)} to ${figure(max)}`;
}
