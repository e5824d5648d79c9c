import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { measureReadable, measureThroughput } from "../../bench/pipeline/measure.ts";
import { messagesOf } from "../../bench/pipeline/operations.ts";
import { untilDeleted } from "../../bench/pipeline/until-stored.ts";
import { type Pipeline, startPipeline } from "../../bench/pipeline/pipeline.ts";
import { call, useKey } from "../support/http.ts";

const EVENTS = 60;
const shape = { perRequest: 20, eventBytes: 600 };

describe.each(["ours", "naive"] as const)("the pipeline of the benchmark: %s", (kind) => {
  let pipeline: Pipeline;
  beforeAll(async () => {
    pipeline = await startPipeline(kind, { counted: true, assemblyDir: inject("assemblyDir") });
  });
  afterAll(() => pipeline?.stop());

  it("the pipeline stores every event once and counts its operations", async () => {
    const { eventsPerSecond } = await measureThroughput(pipeline, { events: EVENTS, ...shape });

    await untilDeleted(pipeline);
    const operations = pipeline.operations();
    const { functions, dataApi } = operations;
    expect(eventsPerSecond).toBeGreaterThan(0);
    expect(functions.ingest).toMatchObject({ invocations: EVENTS / shape.perRequest, memoryMegabytes: 512 });
    expect(functions.ingest.milliseconds).toBeGreaterThan(0);
    const naive = kind === "naive";
    expect(messagesOf(operations, "SendMessageBatch")).toBe(naive ? EVENTS : 3);
    expect(messagesOf(operations, "ReceiveMessage")).toBe(naive ? EVENTS : 3);
    expect(dataApi.calls).toBe(naive ? EVENTS : functions.consume.invocations);
    // Ours reads keys, and changes the mark after each batch.
    if (naive) expect(operations.dynamodb).toEqual({ reads: 0, writes: 0 });
    else expect(operations.dynamodb.writes).toBeGreaterThanOrEqual(functions.consume.invocations);
  });

  it("the pipeline refuses an event that does not match the catalog", async () => {
    const event = { source: "bench", type: "com.example.order.placed", data: { orderId: "" } };

    useKey(pipeline.url, pipeline.apiKey);
    const answer = await call(`${pipeline.url}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(event),
    });

    expect(answer.status).toBe(kind === "naive" ? 400 : 422);
  });

  it("a reset empties the tables and sets the counts to zero", async () => {
    await pipeline.reset();

    const rows = await pipeline.ask(`select count(*)::integer as count from ${pipeline.table}`);
    expect(rows).toStrictEqual([{ count: 0 }]);
    expect(pipeline.operations().functions.ingest.invocations).toBe(0);
  });

  it("the pipeline measures from a client's 202 to the row and until it can be read", async () => {
    const { events, probes, acceptedToReadableMs, acceptedToWrittenMs } = await measureReadable(pipeline, {
      ...shape,
      eventsPerSecond: 100,
      seconds: 3,
    });

    expect(events).toBe(300);
    expect(probes).toBeGreaterThan(3);
    expect(acceptedToWrittenMs.p50).toBeGreaterThanOrEqual(0);
    expect(acceptedToReadableMs.p50).toBeGreaterThan(0);
  });
});
