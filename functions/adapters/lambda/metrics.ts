import type { FunctionName } from "../../core/functions.ts";
import { FILTERED_METRICS, METRICS_OF_STAGE, METRICS_WITH_ZERO, type MetricName } from "../../core/metric-names.ts";

type Unit = "Count" | "Seconds";

export type Metrics = {
  /** Adds a value, unless it is a count of nothing; several of one name between two calls of `publish` are summed up. */
  addMetric(name: MetricName, unit: Unit, value: number): void;
  /**
   * Takes the metrics added since they were taken last: members for a log line, from which CloudWatch extracts them beside the
   * line's own `service` and `stage`, with directives of those that no metric filter extracts. Undefined where there are none.
   */
  take(): { _aws?: object } | undefined;
  /** Writes them, if any, as a line of its own. */
  publish(): void;
};

/**
 * Makes metrics as numbers of log lines, for the metric filters of a function (FILTERED_METRICS) and in CloudWatch's embedded format,
 * with the same members as Powertools for AWS Lambda (see logger.ts).
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function createMetrics({
  namespace,
  ...dimensions
}: {
  namespace: string;
  service: FunctionName;
  stage: string;
}): Metrics {
  const filtered = new Set(FILTERED_METRICS[dimensions.service]);
  let added: { Name: MetricName; Unit: Unit }[] = [];
  let values: Record<string, number> = {};
  return {
    addMetric(Name, Unit, value) {
      if (value === 0 && !METRICS_WITH_ZERO.has(Name)) return;
      if (values[Name] === undefined && !filtered.has(Name)) added.push({ Name, Unit });
      values[Name] = (values[Name] ?? 0) + value;
    },
    take() {
      if (Object.keys(values).length === 0) return undefined;
      const directives = [false, true].map((isOfStage) => ({
        Namespace: namespace,
        Dimensions: [isOfStage ? ["stage"] : Object.keys(dimensions)],
        Metrics: added.filter(({ Name }) => METRICS_OF_STAGE.has(Name) === isOfStage),
      }));
      const CloudWatchMetrics = directives.filter(({ Metrics }) => Metrics.length > 0);
      const members = { ...values, ...(added.length > 0 && { _aws: { Timestamp: Date.now(), CloudWatchMetrics } }) };
      added = [];
      values = {};
      return members;
    },
    publish() {
      const taken = this.take();
      if (taken === undefined) return;
      const { _aws, ...numbers } = taken;
      process.stdout.write(`${JSON.stringify({ ...(_aws && { _aws }), ...dimensions, ...numbers })}\n`);
    },
  };
}
