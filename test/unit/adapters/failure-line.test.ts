import type { Context } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createObservability } from "../../../functions/adapters/lambda/observability.ts";
import { sqsBatchHandler } from "../../../functions/adapters/lambda/sqs-batch-handler.ts";
import { taskHandler } from "../../../functions/adapters/lambda/task-handler.ts";
import type { BatchOutcome } from "../../../functions/core/batch.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import { record } from "../../support/sqs-records.ts";

const TRACE = "ab".repeat(16);
const SERVED = "cd".repeat(16);
const XRAY = `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Sampled=0`;

const context = (remainingMs = 60_000) =>
  ({ awsRequestId: "r-1", functionName: "consume", getRemainingTimeInMillis: () => remainingMs }) as Context;

const environment = { STAGE: "dev", METRICS_NAMESPACE: "Sluice", LOG_LEVEL: "INFO" } as const;

/** The lines that a function writes. */
let lines: Record<string, unknown>[] = [];
beforeEach(() => {
  lines = [];
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => lines.push(JSON.parse(String(text)) as never) > 0);
  }
  vi.stubEnv("_X_AMZN_TRACE_ID", XRAY);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const invoke = (rule: (serve: () => void) => Promise<BatchOutcome>, remainingMs?: number) => {
  const observability = createObservability("consume", environment);
  const handler = sqsBatchHandler({
    rule: () => rule(() => observability.tracing.serve(`00-${SERVED}-${"1".repeat(16)}-01`)),
    observability,
  });
  return handler({ Records: [record("a"), record("b")] }, context(remainingMs));
};

const done: BatchOutcome = {
  remaining: [],
  level: "info",
  fields: { failedMessages: 0, requeuedMessages: 0 },
  metrics: { EventsStored: 2 },
};

describe("the line of a failed invocation", () => {
  it("a batch whose rule throws leaves one line, with its trace, those that it serves, and no message of an error that is not ours", async () => {
    const failed = invoke((serve) => {
      serve();
      throw new TypeError("quotes an event", {
        cause: new DatabaseError({ disposition: "stop", reason: "r", detail: "d" }),
      });
    });

    await expect(failed).rejects.toThrow("quotes an event");
    expect(lines).toEqual([
      expect.objectContaining({
        level: "ERROR",
        message: "batch",
        trace_id: TRACE,
        function_request_id: "r-1",
        messages: 2,
        failedMessages: 2,
        requeuedMessages: 0,
        durationMs: expect.any(Number),
        traces: [SERVED],
        error: expect.objectContaining({
          name: "TypeError",
          cause: expect.objectContaining({ name: "DatabaseError" }),
        }),
      }),
    ]);
    expect(JSON.stringify(lines)).not.toContain("quotes an event");
  });

  it("a batch whose outcome has an error leaves the one line that it has anyway, with the error", async () => {
    const failed = invoke(() => Promise.resolve({ ...done, error: new RangeError("no") }));

    await expect(failed).rejects.toThrow("no");
    expect(lines).toMatchObject([{ level: "INFO", message: "batch", EventsStored: 2, error: { name: "RangeError" } }]);
  });

  it("a batch whose time is over leaves a line before Lambda ends it", async () => {
    await expect(invoke(() => new Promise(() => undefined), 30)).rejects.toThrow(/abort/i);

    expect(lines).toMatchObject([{ level: "ERROR", message: "batch", trace_id: TRACE, failedMessages: 2 }]);
  });

  it("a batch after one that failed has its own line", async () => {
    const observability = createObservability("consume", environment);
    const answers = [Promise.reject(new Error("first")), Promise.resolve(done), Promise.reject(new Error("third"))];
    for (const answer of answers) answer.catch(() => undefined);
    const handler = sqsBatchHandler({ rule: () => answers.shift() ?? Promise.resolve(done), observability });

    for (const _each of [1, 2, 3])
      await Promise.resolve(handler({ Records: [record("a")] }, context())).catch(() => undefined);

    expect(lines.map(({ level }) => level)).toEqual(["ERROR", "INFO", "ERROR"]);
  });

  it("a task that throws leaves one line with its trace and its error", async () => {
    const observability = createObservability("migrate", environment);
    const handler = taskHandler({ task: () => Promise.reject(new TypeError("no")), observability });

    await expect(handler({}, context())).rejects.toThrow("no");
    expect(lines).toMatchObject([
      {
        level: "ERROR",
        message: "task",
        trace_id: TRACE,
        durationMs: expect.any(Number),
        error: { name: "TypeError" },
      },
    ]);
  });
});
