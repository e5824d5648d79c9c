import type { MiddlewareObj } from "@middy/core";
import type { FunctionName } from "../../core/functions.ts";
import type { LogLevel, LogLines } from "../../core/log-lines.ts";
import { METRICS, type MetricCounts, type MetricName } from "../../core/metric-names.ts";
import type { SpanKind } from "../../core/span.ts";
import type { SpanAttributes } from "../../core/tracing.ts";
import { createLogger, type InvocationLogger, type Logger } from "./logger.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createSpanOutput } from "./span-output.ts";
import { createTracing, type InvocationTracing } from "./tracing.ts";

/** Logger, metrics and traces of one function, made once per cold start. */
export type Observability = { logger: InvocationLogger; metrics: Metrics; tracing: InvocationTracing };

/** Makes all of them from the environment that every function has. */
export function createObservability(
  service: FunctionName,
  environment: {
    STAGE: string;
    METRICS_NAMESPACE: string;
    LOG_LEVEL: LogLevel;
    OTLP?: "logs" | undefined;
    OTLP_ENDPOINT?: string | undefined;
  },
): Observability {
  const { STAGE: stage, METRICS_NAMESPACE: namespace, LOG_LEVEL: level } = environment;
  const logger = createLogger({ service, stage, level });
  return {
    logger,
    metrics: createMetrics({ namespace, service, stage }),
    tracing: createTracing(service, createSpanOutput(environment, { service, stage, logger })),
  };
}

/**
 * Begins the trace of an invocation, puts its names in the log lines, and writes the metrics that are in no line when it ends or fails.
 * @param sentTrace the `traceparent` that the event came with
 */
export function observed<Event, Result>(
  { logger, metrics, tracing }: Observability,
  sentTrace: (event: Event) => string | undefined = () => undefined,
): MiddlewareObj<Event, Result> {
  return {
    before: ({ event, context }) => logger.begin(context, tracing.begin(sentTrace(event))),
    after: () => metrics.publish(),
    onError: () => metrics.publish(),
  };
}

/** The end of an invocation, as its line, its metrics and its span have it. */
export type Outcome<Message extends keyof LogLines> = {
  level: keyof Logger;
  message: Message;
  fields: LogLines[Message];
  counts: MetricCounts;
  /** Its name is that of the function where it has none. */
  span: { name?: string; kind: SpanKind; attributes: SpanAttributes };
};

/** Writes the one line of an invocation, with its metrics. Where the line's level is not written, they have one of their own. */
export function writeOutcome<Message extends keyof LogLines>(
  { logger, metrics, tracing }: Observability,
  { level, message, fields, counts, span }: Outcome<Message>,
): void {
  for (const [name, value] of Object.entries(counts) as [MetricName, number][])
    metrics.addMetric(name, METRICS[name], value);
  if (!logger.isWritten(level)) metrics.publish();
  else logger.write(level, message, fields, metrics.take());
  tracing.end({ ...span, isError: level === "error" });
}
