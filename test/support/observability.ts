import { createObservability, type Observability } from "../../functions/adapters/lambda/observability.ts";
import type { Tracing } from "../../functions/core/tracing.ts";

/** Logger, metrics and traces of a function that note their lines and numbers in place of writing them. */
export function noteObservability() {
  const lines: [level: string, message: string, fields: object][] = [];
  const metrics: [name: string, value: number][] = [];
  let published = 0;
  const { tracing } = createObservability("ingest", { STAGE: "test", METRICS_NAMESPACE: "Sluice", LOG_LEVEL: "INFO" });
  const log = (level: string) => (message: string, fields: object) => void lines.push([level, message, fields]);
  const observability: Observability = {
    logger: {
      begin: () => undefined,
      info: log("info"),
      warn: log("warn"),
      error: log("error"),
      isWritten: () => true,
      write: (level, message, fields) => log(level)(message, fields),
    },
    metrics: {
      addMetric: (name, _unit, value) => void metrics.push([name, value]),
      take: () => undefined,
      publish: () => {
        published += 1;
      },
    },
    tracing,
  };
  return { observability, lines, metrics, published: () => published };
}

/** For functions whose traces a test does not look at. */
export const untraced: Tracing = {
  serve: () => undefined,
  send: () => ({ traceparent: "", end: () => undefined }),
};
