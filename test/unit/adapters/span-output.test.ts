import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Context, SQSRecord } from "aws-lambda";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createObservability } from "../../../functions/adapters/lambda/observability.ts";
import { createSpanOutput } from "../../../functions/adapters/lambda/span-output.ts";
import { sqsBatchHandler } from "../../../functions/adapters/lambda/sqs-batch-handler.ts";
import { createStoreMessages } from "../../../functions/consume/store-messages.ts";
import { type Span, toOtlp } from "../../../functions/core/span.ts";
import { TRACES_MAX_OF_INVOCATION } from "../../../functions/core/tracing.ts";
import { eventually } from "../../support/eventually.ts";
import { memoryDeadLetters, memoryStore, message, NOW } from "../consume/support.ts";

const span = (changes: Partial<Span> = {}): Span => ({
  traceId: "a".repeat(32),
  spanId: "b".repeat(16),
  parentSpanId: undefined,
  name: "consume",
  kind: "consumer",
  startedAt: 1_763_717_400_000.25,
  endedAt: 1_763_717_400_001.5,
  attributes: {},
  links: [],
  isError: false,
  ...changes,
});

const FACTS = { service: "consume", stage: "dev" };

afterEach(() => void vi.restoreAllMocks());

describe("spans", () => {
  it("spans are written as OTLP in JSON has them: ids as hexadecimal text, times in nanoseconds as text", () => {
    const link = { traceId: "c".repeat(32), spanId: "d".repeat(16) };
    const attributes = { text: "t", whole: 202, part: 0.5, absent: undefined };

    const text = toOtlp({ "service.name": "consume" }, [
      span({ parentSpanId: "e".repeat(16), links: [link], attributes, isError: true }),
    ]);

    expect(JSON.parse(text)).toEqual({
      resourceSpans: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "consume" } }] },
          scopeSpans: [
            {
              scope: { name: "sluice" },
              spans: [
                {
                  traceId: "a".repeat(32),
                  spanId: "b".repeat(16),
                  parentSpanId: "e".repeat(16),
                  name: "consume",
                  kind: 5,
                  startTimeUnixNano: "1763717400000250000",
                  endTimeUnixNano: "1763717400001500000",
                  attributes: [
                    { key: "text", value: { stringValue: "t" } },
                    { key: "whole", value: { intValue: "202" } },
                    { key: "part", value: { doubleValue: 0.5 } },
                  ],
                  links: [link],
                  status: { code: 2 },
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it("spans of a batch of a thousand messages are one line, with as many links as its line names traces", async () => {
    const written: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
    const observability = createObservability("consume", {
      STAGE: "dev",
      METRICS_NAMESPACE: "Sluice",
      LOG_LEVEL: "INFO",
      OTLP: "logs",
    });
    const { tracing } = observability;
    const { store } = memoryStore();
    const storeMessages = createStoreMessages({
      store,
      deadLetters: memoryDeadLetters().queue,
      clock: () => new Date(NOW),
      tracing,
    });
    const rule = async (messages: Parameters<typeof storeMessages>[0]) => {
      const { metrics } = await storeMessages(messages, NOW + 60_000);
      return { remaining: [], level: "info" as const, fields: { failedMessages: 0, requeuedMessages: 0 }, metrics };
    };
    const Records = Array.from({ length: 1_000 }, (_, i) => {
      const traceparent = `00-${String(i + 1).padStart(32, "0")}-${String(1_000 - i).padStart(16, "0")}-01`;
      const { messageId, body, receiptHandle } = message(`m${i}`, [`e${i}`], { head: { traceparent } });
      const attributes = { ApproximateReceiveCount: "1", SentTimestamp: String(NOW) };
      return { messageId, body, receiptHandle, attributes, messageAttributes: {} } as unknown as SQSRecord;
    });
    const context = { getRemainingTimeInMillis: () => 60_000 } as Context;

    await sqsBatchHandler({ rule, observability })({ Records }, context);

    vi.restoreAllMocks();
    expect(written).toHaveLength(2);
    const [line, spans] = written.map((text) => JSON.parse(text) as Record<string, unknown>);
    const [batch, ...steps] =
      (spans as { resourceSpans: { scopeSpans: { spans: { links: object[] }[] }[] }[] }).resourceSpans[0]?.scopeSpans[0]
        ?.spans ?? [];
    // Those of the smallest span ids.
    const chosen = Array.from({ length: TRACES_MAX_OF_INVOCATION }, (_, i) => String(1_000 - i).padStart(32, "0"));
    expect(line).toMatchObject({ messages: 1_000, EventsStored: 1_000, traces: chosen });
    expect(batch?.links).toHaveLength(TRACES_MAX_OF_INVOCATION);
    expect(steps).toHaveLength(TRACES_MAX_OF_INVOCATION);
    expect(Buffer.byteLength(written.join(""))).toBeLessThan(16 * 1_024);
  });

  it("spans for a receiver are sent together, behind the invocations, and a receiver that refuses them is logged", async () => {
    const requests: { url: string | undefined; type: string | undefined; spans: number }[] = [];
    let status = 200;
    const server = createServer((request, response) => {
      const take = (chunks: unknown[]): void => {
        const { resourceSpans } = JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as {
          resourceSpans: { scopeSpans: { spans: object[] }[] }[];
        };
        const spans = resourceSpans[0]?.scopeSpans[0]?.spans.length ?? 0;
        requests.push({ url: request.url, type: request.headers["content-type"], spans });
        response.writeHead(status).end();
      };
      void request.toArray().then(take);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const warn = vi.fn<(message: string, fields: object) => void>();
      const logger = { info: vi.fn<() => void>(), warn, error: vi.fn<() => void>() };
      const { port } = server.address() as AddressInfo;
      const write = createSpanOutput({ OTLP_ENDPOINT: `http://127.0.0.1:${port}/` }, { ...FACTS, logger });

      write?.([span()]);
      write?.([span(), span()]);
      expect(requests).toEqual([]);
      await eventually(
        () => requests.length,
        (count) => count === 1,
      );
      status = 503;
      write?.(Array.from({ length: 3_000 }, () => span()));
      await eventually(
        () => warn.mock.calls.length,
        (count) => count === 1,
      );

      expect(requests).toEqual([
        { url: "/v1/traces", type: "application/json", spans: 3 },
        { url: "/v1/traces", type: "application/json", spans: 2_048 },
      ]);
      expect(warn.mock.calls).toEqual([["spans not sent", { count: 2_048, code: "The receiver answered 503" }]]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("spans are not made where nobody wants them", () => {
    const { logger } = createObservability("consume", { STAGE: "dev", METRICS_NAMESPACE: "Sluice", LOG_LEVEL: "INFO" });

    expect(createSpanOutput({}, { ...FACTS, logger })).toBeUndefined();
  });
});
