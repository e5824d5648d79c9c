import { vi } from "vitest";
import { createMetrics } from "../../../functions/adapters/lambda/metrics.ts";
import type { FunctionName } from "../../../functions/core/functions.ts";
import { METRICS, type MetricCounts, type MetricName } from "../../../functions/core/metric-names.ts";
import { type Datapoint, datapointsIn } from "../../../localstack/lambda/datapoints.ts";
import type { MetricFilterModel } from "../../../localstack/template/model.ts";

/**
 * The datapoints of an invocation of a function that reports these counts, read from the line that it writes.
 * @param stack.filters those of the template, for the function's log group
 */
export function reported(
  service: FunctionName,
  counts: MetricCounts,
  {
    at,
    namespace,
    stage,
    filters,
  }: { at: number; namespace: string; stage: string; filters: readonly MetricFilterModel[] },
): Datapoint[] {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  try {
    const metrics = createMetrics({ namespace, service, stage });
    for (const [name, value] of Object.entries(counts) as [MetricName, number][])
      metrics.addMetric(name, METRICS[name], value);
    metrics.publish();
  } finally {
    write.mockRestore();
  }
  return lines.flatMap((line) => datapointsIn(line, filters) ?? []).map((datapoint) => ({ ...datapoint, at }));
}
