import type { MetricFilterModel } from "../template/model.ts";

/** A value of a metric. */
export type Datapoint = {
  namespace: string;
  name: string;
  dimensions: Record<string, unknown>;
  /** ms since the epoch. */
  at: number;
  value: number;
};

/**
 * The datapoints that CloudWatch extracts from a log line: by the metric filters of its log group, and by the directives of the
 * embedded metric format in it. Undefined for a line that is neither matched nor in that format.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function datapointsIn(line: string, filters: readonly MetricFilterModel[]): Datapoint[] | undefined {
  if (!line.startsWith("{")) return undefined;
  const near = filters.filter(({ matches: { member } }) => line.includes(`"${member}"`));
  if (near.length === 0 && !line.includes('"_aws"')) return undefined;
  const fields = parse(line);
  const datapoints = near.flatMap((filter) => filtered(fields, filter));
  const isEmbedded = typeof fields._aws === "object";
  return isEmbedded || datapoints.length > 0 ? [...datapoints, ...embedded(fields)] : undefined;
}

type Fields = Record<string, unknown> & { _aws?: EmbeddedMetrics };
type EmbeddedMetrics = {
  Timestamp: number;
  CloudWatchMetrics?: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
};

function parse(line: string): Fields {
  try {
    return JSON.parse(line) as Fields;
  } catch {
    return {};
  }
}

function filtered(fields: Fields, { matches, namespace, name, value, dimensions }: MetricFilterModel): Datapoint[] {
  const compared = fields[matches.member];
  const found = fields[value];
  if (typeof compared !== "number" || compared < matches.least || typeof found !== "number") return [];
  const values = Object.entries(dimensions).map(([dimension, member]) => [dimension, fields[member]] as const);
  // CloudWatch makes no datapoint where a dimension has no value.
  if (values.some(([, each]) => each === undefined)) return [];
  const at = Date.parse(String(fields["timestamp"])) || Date.now();
  return [{ namespace, name, dimensions: Object.fromEntries(values), at, value: found }];
}

function embedded(fields: Fields): Datapoint[] {
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
