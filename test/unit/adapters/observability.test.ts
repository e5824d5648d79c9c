import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createObservability, type Observability, observed } from "../../../functions/adapters/lambda/observability.ts";
import type { MetricName } from "../../../functions/core/metric-names.ts";

const context = {
  awsRequestId: "8f507cfc-9131-46f2-a1d4-0e3bd7d5f1a5",
  functionName: "ingest",
  invokedFunctionArn: "arn:aws:lambda:eu-central-1:123456789012:function:ingest",
  memoryLimitInMB: "512",
} as Context;

const fields = {
  route: "POST /events",
  status: 202,
  text: 'a "quote", größe, \u2028, \u{1F600}\n',
  list: [1, null, { deep: undefined }],
  error: { name: "E", message: undefined, stack: ["f (x.js:1:2)"], cause: { name: "C" } },
  zero: 0,
  no: false,
  empty: "",
  nothing: null,
  missing: undefined,
};

/** The parts of both that are used here. */
type Parts = {
  logger: Record<"info" | "warn" | "error", (message: string, fields: Record<string, unknown>) => void>;
  metrics: { addMetric: (name: MetricName, unit: "Count" | "Seconds", value: number) => unknown };
};

/** The lines of a function whose chain has the middleware, in two invocations of which the second throws. */
async function linesOf({ logger, metrics }: Parts, chain: () => ReturnType<typeof middy>): Promise<string[]> {
  const lines: string[] = [];
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => lines.push(`${stream}: ${String(text)}`) > 0);
  }
  vi.stubEnv("_X_AMZN_TRACE_ID", undefined);
  logger.warn("outside", { code: "x" });
  // As Lambda does before each invocation.
  vi.stubEnv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3f;Parent=53995c3f42cd8ad8;Sampled=1");
  const handler = chain().handler(async (event) => {
    logger.info("request", fields);
    logger.warn("queue did not answer", { code: "TimeoutError" });
    logger.error("request", { error: undefined });
    metrics.addMetric("Requests", "Count", 1);
    metrics.addMetric("OldestFailedAgeSeconds", "Seconds", 12);
    if (event === "throw") throw new Error("thrown");
  });
  await handler("go on", context);
  await expect(handler("throw", context)).rejects.toThrow("thrown");
  vi.restoreAllMocks();
  return lines;
}

const environment = { STAGE: "dev", METRICS_NAMESPACE: "Sluice", LOG_LEVEL: "INFO" } as const;

/** Without the types of real lines, because this test writes values of every kind. */
const untyped = (observability: Observability): Parts => observability as unknown as Parts;

const ours = () => {
  const observability = createObservability("ingest", environment);
  return linesOf(untyped(observability), () => middy().use(observed(observability)));
};

const powertools = () => {
  const logger = new Logger({ serviceName: "ingest", logLevel: "INFO", persistentKeys: { stage: "dev" } });
  const metrics = new Metrics({ namespace: "Sluice", serviceName: "ingest", defaultDimensions: { stage: "dev" } });
  return linesOf({ logger, metrics }, () =>
    middy()
      .use(injectLambdaContext(logger, { clearState: true }))
      .use(logMetrics(metrics)),
  );
};

describe("the log lines of a function", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 10, 21) }));
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.useRealTimers();
  });

  it.each(["on-demand", "provisioned-concurrency"])(
    "the log lines are byte for byte those of Powertools in a function started %s",
    async (type) => {
      vi.stubEnv("AWS_LAMBDA_INITIALIZATION_TYPE", type);
      vi.stubEnv("POWERTOOLS_DEV", "false");

      const lines = await ours();

      expect(lines).toEqual(await powertools());
      expect(lines).toHaveLength(9);
    },
  );

  it("a gauge of the stage has the stage as its only dimension, beside the metrics of the function", () => {
    const lines: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    const { metrics } = createObservability("drain", environment);

    metrics.addMetric("OpenDeadLetters", "Count", 7);
    metrics.addMetric("DeadLettersRecorded", "Count", 2);
    metrics.publish();
    metrics.addMetric("OpenDeadLetters", "Count", 0);
    metrics.publish();

    vi.restoreAllMocks();
    const written = lines.map((line) => JSON.parse(line) as { _aws: { CloudWatchMetrics: unknown } });
    const ofStage = {
      Namespace: "Sluice",
      Dimensions: [["stage"]],
      Metrics: [{ Name: "OpenDeadLetters", Unit: "Count" }],
    };
    const ofFunction = {
      Namespace: "Sluice",
      Dimensions: [["service", "stage"]],
      Metrics: [{ Name: "DeadLettersRecorded", Unit: "Count" }],
    };
    expect(written).toMatchObject([{ OpenDeadLetters: 7, stage: "dev" }, { OpenDeadLetters: 0 }]);
    expect(written.map(({ _aws }) => _aws.CloudWatchMetrics)).toEqual([[ofFunction, ofStage], [ofStage]]);
  });

  it("the log has the lines of the configured level and above", async () => {
    const observability = createObservability("ingest", { ...environment, LOG_LEVEL: "ERROR" });

    const lines = await linesOf(untyped(observability), () => middy().use(observed(observability)));

    expect(lines.filter((line) => line.includes('"level"')).map((line) => line.slice(0, 23))).toEqual([
      'stderr: {"level":"ERROR',
      'stderr: {"level":"ERROR',
    ]);
  });
});
