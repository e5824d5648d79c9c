import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createObservability,
  type Observability,
  observed,
  writeOutcome,
} from "../../../functions/adapters/lambda/observability.ts";
import type { FunctionName } from "../../../functions/core/functions.ts";
import { METRICS, type MetricCounts, type MetricName } from "../../../functions/core/metric-names.ts";

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
  /** Writes the line of the invocation, and its metrics. */
  end: (counts: MetricCounts) => void;
};

/** The lines of a function whose chain has the middleware, in two invocations of which the second throws. */
async function linesOf({ logger, metrics, end }: Parts, chain: () => ReturnType<typeof middy>): Promise<string[]> {
  const lines: string[] = [];
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => lines.push(`${stream}: ${String(text)}`) > 0);
  }
  vi.stubEnv("_X_AMZN_TRACE_ID", undefined);
  logger.warn("outside", { code: "x" });
  // As Lambda does before each invocation.
  vi.stubEnv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3f;Parent=53995c3f42cd8ad8;Sampled=1");
  const handler = chain().handler(async (event) => {
    logger.warn("queue did not answer", { code: "TimeoutError" });
    logger.error("request", { error: undefined });
    metrics.addMetric("KeysStale", "Count", 1);
    end({ EventsStored: 1, OldestFailedAgeSeconds: 12 });
    if (event === "throw") throw new Error("thrown");
  });
  await handler("go on", context);
  await expect(handler("throw", context)).rejects.toThrow("thrown");
  vi.restoreAllMocks();
  return lines;
}

const environment = { STAGE: "dev", METRICS_NAMESPACE: "Sluice", LOG_LEVEL: "INFO" } as const;

/** Without the types of real lines, because this test writes values of every kind. */
function untyped(observability: Observability): Parts {
  const { logger, metrics } = observability as unknown as Parts;
  const line = { level: "info", message: "request", fields: fields as never } as const;
  const span = { kind: "server", attributes: {} } as const;
  return { logger, metrics, end: (counts) => writeOutcome(observability, { ...line, counts, span }) };
}

const ours = () => {
  const observability = createObservability("ingest", environment);
  return linesOf(untyped(observability), () => middy().use(observed(observability)));
};

/** Our own member, which Powertools does not have. */
const withoutTrace = (lines: string[]) => lines.map((line) => line.replace(/,"trace_id":"[0-9a-f]{32}"/, ""));

/** Powertools' members that ours leave out: they say what the log group says, or nothing. */
const LEFT_OUT =
  /,"(?:function_arn|function_memory_size|function_name)":"[^"]*"|,"sampling_rate":0|,"cold_start":false/g;
/** Lambda's id of the request, in lines about faults alone. */
const OF_FAULTS = /,"function_request_id":"[^"]*"/;
const asOurs = (lines: string[]) => {
  const isOfFault = (line: string) => !line.includes('"level":"INFO"') || line.includes('"error":');
  return lines.map((line) => line.replace(LEFT_OUT, "").replace(isOfFault(line) ? "" : OF_FAULTS, ""));
};

type Directives = { _aws?: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] } };

const memberOf = (line = "") => JSON.parse(line.slice(line.indexOf("{"))) as Record<string, unknown>;

const powertools = () => {
  const logger = new Logger({ serviceName: "ingest", logLevel: "INFO", persistentKeys: { stage: "dev" } });
  const metrics = new Metrics({ namespace: "Sluice", serviceName: "ingest", defaultDimensions: { stage: "dev" } });
  const end = (counts: MetricCounts) => {
    logger.info("request", fields);
    for (const [name, value] of Object.entries(counts) as [MetricName, number][])
      metrics.addMetric(name, METRICS[name], value);
  };
  return linesOf({ logger, metrics, end }, () =>
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
    "the log lines are byte for byte those of Powertools, without the members that say nothing, in a function started %s",
    async (type) => {
      vi.stubEnv("AWS_LAMBDA_INITIALIZATION_TYPE", type);
      vi.stubEnv("POWERTOOLS_DEV", "false");

      const lines = withoutTrace(await ours());
      const theirs = asOurs(await powertools());

      // Of each invocation: two lines, and then theirs are a line and the metrics, in one line of ours.
      expect(lines.filter((_, index) => ![3, 6].includes(index))).toEqual(
        theirs.filter((_, index) => ![3, 4, 7, 8].includes(index)),
      );
      expect(lines).toHaveLength(7);
      for (const [ofOurs, ofTheirs] of [[3, 3] as const, [6, 7] as const]) {
        expect(memberOf(lines[ofOurs])).toEqual({ ...memberOf(theirs[ofTheirs]), ...memberOf(theirs[ofTheirs + 1]) });
        // The level is the first member, by which Lambda filters lines.
        expect(lines[ofOurs]).toMatch(/^stdout: \{"level":"INFO","message":"request","timestamp":/);
      }
    },
  );

  it("every line of an invocation has the id of its trace: the request's, else X-Ray's, else a new one", async () => {
    const lines: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    const observability = createObservability("ingest", environment);
    const handler = middy<{ sent?: string }, void>()
      .use(observed<{ sent?: string }, void>(observability, ({ sent }) => sent))
      .handler(async () => observability.logger.warn("queue did not answer", { code: "x" }));
    const root = "5759e988bd862e3fe1be46a994272793";
    const sent = `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`;

    vi.stubEnv("_X_AMZN_TRACE_ID", `Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1`);
    await handler({ sent }, context);
    await handler({}, context);
    await handler({ sent: "00-no" }, context);
    vi.stubEnv("_X_AMZN_TRACE_ID", undefined);
    await handler({}, context);
    await handler({}, context);

    vi.restoreAllMocks();
    const ids = lines.map((line) => memberOf(line)["trace_id"]);
    expect(ids.slice(0, 3)).toEqual(["4bf92f3577b34da6a3ce929d0e0e4736", root, root]);
    expect(ids.slice(3)).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(new Set(ids).size).toBe(4);
  });

  it("a line has X-Ray's id where X-Ray records the invocation in another trace", async () => {
    const lines: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    const observability = createObservability("ingest", environment);
    const handler = middy<{ sent?: string }, void>()
      .use(observed<{ sent?: string }, void>(observability, ({ sent }) => sent))
      .handler(async () => observability.logger.warn("queue did not answer", { code: "x" }));
    const sent = `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`;

    for (const sampled of [1, 0]) {
      vi.stubEnv("_X_AMZN_TRACE_ID", `Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=${sampled}`);
      await handler({ sent }, context);
      await handler({}, context);
    }

    vi.restoreAllMocks();
    const xray = "1-5759e988-bd862e3fe1be46a994272793";
    expect(lines.map((line) => memberOf(line)["xray_trace_id"])).toEqual([xray, undefined, undefined, undefined]);
  });

  it("a line about a fault has Lambda's id of the request, which Lambda's own line has, and any other has not", async () => {
    const lines: string[] = [];
    for (const stream of ["stdout", "stderr"] as const) {
      vi.spyOn(process[stream], "write").mockImplementation((text) => lines.push(String(text)) > 0);
    }
    const { logger, ...others } = createObservability("ingest", environment);
    const handler = middy().use(observed({ logger, ...others }));
    handler.handler(async () => {
      logger.warn("queue did not answer", { code: "x" });
      logger.info("task", { durationMs: 1 });
      logger.info("task", { durationMs: 1, error: { name: "E" } });
    });

    await handler("any", context);

    vi.restoreAllMocks();
    const id = context.awsRequestId;
    expect(lines.map((line) => memberOf(line)["function_request_id"])).toEqual([id, undefined, id]);
  });

  it("a count of nothing is in no line, and a gauge of nothing is", () => {
    const lines: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    const observability = createObservability("consume", environment);

    const end = (counts: MetricCounts) =>
      writeOutcome(observability, {
        level: "info",
        message: "batch",
        fields: { messages: 1, durationMs: 1, failedMessages: 0, requeuedMessages: 0 },
        counts,
        span: { kind: "consumer", attributes: {} },
      });
    end({ EventsStored: 3, EventsDuplicate: 0, StoreLagSeconds: 0 });
    end({ EventsStored: 0 });

    vi.restoreAllMocks();
    const [first, second] = lines.map((line) => memberOf(line));
    expect(first).toMatchObject({ EventsStored: 3, StoreLagSeconds: 0 });
    expect(JSON.stringify(first)).not.toContain("EventsDuplicate");
    expect(second).not.toHaveProperty("EventsStored");
    expect(second).not.toHaveProperty("_aws");
  });

  it("a line has no directive for a metric that a metric filter of its function extracts", () => {
    const lines: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);

    for (const [service, counts] of [
      ["ingest", { EventsAccepted: 2, EventsUnchecked: 1 }],
      ["ingest", { EventsAccepted: 2, EventsRejected: 3 }],
      ["consume", { EventsStored: 4, StoreLagSeconds: 0 }],
      ["query", { EventsAccepted: 5 }],
    ] as [FunctionName, MetricCounts][]) {
      const { metrics } = createObservability(service, environment);
      for (const [name, value] of Object.entries(counts)) metrics.addMetric(name as MetricName, "Count", value);
      metrics.addMetric(Object.keys(counts)[0] as MetricName, "Count", 1);
      metrics.publish();
    }

    vi.restoreAllMocks();
    const written = lines.map((line) => JSON.parse(line) as Directives);
    const names = ({ _aws }: Directives) =>
      _aws?.CloudWatchMetrics.flatMap(({ Metrics: all }) => all.map((each) => each.Name));
    expect(written.map((line) => names(line))).toEqual([undefined, ["EventsRejected"], undefined, ["EventsAccepted"]]);
    expect(written).toMatchObject([
      { service: "ingest", stage: "dev", EventsAccepted: 3, EventsUnchecked: 1 },
      { EventsAccepted: 3, EventsRejected: 3 },
      { service: "consume", EventsStored: 5, StoreLagSeconds: 0 },
      { service: "query", EventsAccepted: 6 },
    ]);
  });

  it("where the level of the invocation's line is not written, its metrics are, in a line of their own", async () => {
    const observability = createObservability("ingest", { ...environment, LOG_LEVEL: "WARN" });

    const lines = await linesOf(untyped(observability), () => middy().use(observed(observability)));

    const ofMetrics = lines.filter((line) => line.includes("_aws")).map((line) => memberOf(line));
    expect(ofMetrics).toMatchObject([
      { KeysStale: 1, EventsStored: 1, service: "ingest", stage: "dev" },
      { KeysStale: 1, EventsStored: 1 },
    ]);
    expect(ofMetrics[0]).not.toHaveProperty("route");
    expect(lines).toHaveLength(7);
  });

  it("metrics that came after the invocation's line are written at its end", async () => {
    const lines: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    const observability = createObservability("ingest", environment);
    const handler = middy().use(observed(observability));
    handler.handler(async () => observability.metrics.addMetric("KeysStale", "Count", 2));

    await handler("any", context);

    vi.restoreAllMocks();
    expect(lines.map((line) => memberOf(line))).toMatchObject([{ KeysStale: 2, service: "ingest", stage: "dev" }]);
  });

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
