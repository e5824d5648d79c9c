import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";

/** Logger and metrics of one function, made once per cold start. */
export type Observability = { logger: Logger; metrics: Metrics };

export function createObservability(
  service: string,
  environment: { STAGE: string; METRICS_NAMESPACE: string; LOG_LEVEL: "DEBUG" | "INFO" | "WARN" | "ERROR" },
): Observability {
  return {
    logger: new Logger({
      serviceName: service,
      logLevel: environment.LOG_LEVEL,
      persistentKeys: { stage: environment.STAGE },
    }),
    metrics: new Metrics({
      namespace: environment.METRICS_NAMESPACE,
      serviceName: service,
      defaultDimensions: { stage: environment.STAGE },
    }),
  };
}
