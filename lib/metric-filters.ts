import { Unit } from "aws-cdk-lib/aws-cloudwatch";
import { FilterPattern, type ILogGroup, MetricFilter } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { FunctionName } from "../functions/core/functions.ts";
import { FILTERED_METRICS, METRICS } from "../functions/core/metric-names.ts";
import { metricsNamespace } from "./own-metric.ts";

/**
 * Extracts the metrics that ordinary lines of a function have (FILTERED_METRICS) from its log group. They are the metrics that the
 * directives of CloudWatch's embedded format would make, by name, unit and dimensions, and cost as much.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
 */
export class MetricFilters extends Construct {
  constructor(scope: Construct, id: string, { name, logGroup }: { name: FunctionName; logGroup: ILogGroup }) {
    super(scope, id);
    for (const metricName of FILTERED_METRICS[name] ?? []) {
      new MetricFilter(this, metricName, {
        logGroup,
        // A line without the number, or with another kind of value, does not match.
        filterPattern: FilterPattern.numberValue(`$.${metricName}`, ">=", 0),
        metricValue: `$.${metricName}`,
        metricName,
        metricNamespace: metricsNamespace(this),
        dimensions: { service: "$.service", stage: "$.stage" },
        unit: METRICS[metricName] === "Seconds" ? Unit.SECONDS : Unit.COUNT,
      });
    }
  }
}
