import type { Datapoint } from "../../../localstack/lambda/datapoints.ts";

export type MetricId = Pick<Datapoint, "namespace" | "name" | "dimensions">;

/** One text for each metric, whatever the order of its dimensions. */
export const keyOf = ({ namespace, name, dimensions }: MetricId): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).toSorted(([a], [b]) => a.localeCompare(b))]);

/** The statistic of a period; undefined without values. */
export function statisticOf(statistic: string, values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const percentile = /^p(\d+(?:\.\d+)?)$/.exec(statistic)?.[1];
  if (percentile !== undefined) return sorted[Math.ceil((Number(percentile) / 100) * sorted.length) - 1];
  const sum = values.reduce((total, value) => total + value, 0);
  switch (statistic) {
    case "Sum":
      return sum;
    case "Average":
      return sum / values.length;
    case "Maximum":
      return sorted.at(-1);
    case "Minimum":
      return sorted[0];
    default:
      throw new Error(`There is no statistic ${statistic}`);
  }
}
