/** A value of a metric. Its dimensions may be references of a template. */
export type Datapoint = {
  namespace: string;
  name: string;
  dimensions: Record<string, unknown>;
  /** ms since the epoch. */
  at: number;
  value: number;
};

/** The datapoints that CloudWatch extracts from a log line; none of a line that is not in its embedded format. */
export function datapointsIn(line: string): Datapoint[] {
  const fields = JSON.parse(line) as Record<string, unknown> & { _aws?: EmbeddedMetrics };
  const { Timestamp: at = 0, CloudWatchMetrics: directives = [] } = fields._aws ?? {};
  return directives.flatMap(({ Namespace: namespace, Dimensions: sets, Metrics: metrics }) =>
    sets.flatMap((set) =>
      metrics.map(({ Name: name }) => ({
        namespace,
        name,
        dimensions: Object.fromEntries(set.map((dimension) => [dimension, fields[dimension]])),
        at,
        value: fields[name] as number,
      })),
    ),
  );
}

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
type EmbeddedMetrics = {
  Timestamp: number;
  CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
};

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
