import { METRICS_OF_STAGE, type MetricName } from "../../core/metric-names.ts";

type Unit = "Count" | "Seconds";

export type Metrics = {
  /** Adds a value; several of one name between two calls of `publish` are summed up. */
  addMetric(name: MetricName, unit: Unit, value: number): void;
  /** Writes the metrics added since the last call, if any, as one line that CloudWatch extracts from the log. */
  publish(): void;
};

/**
 * Makes metrics in CloudWatch's embedded format, in the same lines as Powertools for AWS Lambda (see logger.ts).
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function createMetrics({
  namespace,
  ...dimensions
}: {
  namespace: string;
  service: string;
  stage: string;
}): Metrics {
  let added: { Name: MetricName; Unit: Unit }[] = [];
  let values: Record<string, number> = {};
  return {
    addMetric(Name, Unit, value) {
      if (values[Name] === undefined) added.push({ Name, Unit });
      values[Name] = (values[Name] ?? 0) + value;
    },
    publish() {
      if (added.length === 0) return;
      const ofFunction = added.filter(({ Name }) => !METRICS_OF_STAGE.has(Name));
      const ofStage = added.filter(({ Name }) => METRICS_OF_STAGE.has(Name));
      const directives = [
        { Namespace: namespace, Dimensions: [Object.keys(dimensions)], Metrics: ofFunction },
        { Namespace: namespace, Dimensions: [["stage"]], Metrics: ofStage },
      ].filter(({ Metrics }) => Metrics.length > 0);
      const line = { _aws: { Timestamp: Date.now(), CloudWatchMetrics: directives }, ...dimensions, ...values };
      added = [];
      values = {};
      process.stdout.write(`${JSON.stringify(line)}\n`);
    },
  };
}
