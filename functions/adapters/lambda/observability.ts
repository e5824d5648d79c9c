import type { MiddlewareObj } from "@middy/core";
import type { FunctionName } from "../../core/functions.ts";
import type { LogLevel } from "../../core/log-lines.ts";
import { createLogger, type InvocationLogger } from "./logger.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

/** Logger and metrics of one function, made once per cold start. */
export type Observability = { logger: InvocationLogger; metrics: Metrics };

/** Makes logger and metrics from the environment that every function has. */
export function createObservability(
  service: FunctionName,
  environment: { STAGE: string; METRICS_NAMESPACE: string; LOG_LEVEL: LogLevel },
): Observability {
  const { STAGE: stage, METRICS_NAMESPACE: namespace, LOG_LEVEL: level } = environment;
  return { logger: createLogger({ service, stage, level }), metrics: createMetrics({ namespace, service, stage }) };
}

/** Puts the invocation's names in its log lines, and writes its metrics when it ends or fails. */
export function observed<Event, Result>({ logger, metrics }: Observability): MiddlewareObj<Event, Result> {
  return {
    before: ({ context }) => logger.begin(context),
    after: () => metrics.publish(),
    onError: () => metrics.publish(),
  };
}
