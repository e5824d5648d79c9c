import { Stack } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import type { FunctionName } from "../functions/core/functions.ts";
import { METRICS_OF_STAGE, type MetricName } from "../functions/core/metric-names.ts";
import type { StageConfig } from "./stage-config.ts";

/** The namespace of the stack's own metrics. No other stack has it, so neither metrics nor alarms of one are another's. */
export const metricsNamespace = (scope: Construct): string => Stack.of(scope).stackName;

/**
 * A metric that a function reports, or with it the other functions of the stage where the metric is one of the stage
 * (functions/core/metric-names.ts).
 */
export function ownMetric(
  scope: Construct,
  stage: StageConfig,
  service: FunctionName,
  metricName: MetricName,
  statistic: string,
): Metric {
  const dimensionsMap = { ...(!METRICS_OF_STAGE.has(metricName) && { service }), stage: stage.name };
  return new Metric({ namespace: metricsNamespace(scope), metricName, dimensionsMap, statistic });
}
