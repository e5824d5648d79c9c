import { describe, expect, it, vi } from "vitest";
import { createTracing } from "../../../functions/adapters/lambda/tracing.ts";
import type { Span } from "../../../functions/core/span.ts";
import { TRACES_MAX_OF_INVOCATION } from "../../../functions/core/tracing.ts";

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, "0");
const traceparent = (trace: number, span: number) => `00-${hex(trace, 32)}-${hex(span, 16)}-00`;

function underTest() {
  const written: Span[][] = [];
  return { written, tracing: createTracing("consume", (spans) => void written.push(spans)) };
}

const END = { kind: "consumer", attributes: {}, isError: false } as const;

describe("the trace of an invocation", () => {
  it("an invocation is a span below the span of its client, with an id of its own", () => {
    const { tracing, written } = underTest();

    const traceId = tracing.begin(traceparent(7, 8));
    tracing.end({ ...END, name: "POST /events", kind: "server", attributes: { "http.response.status_code": 202 } });

    const [[span] = []] = written;
    expect(traceId).toBe(hex(7, 32));
    expect(span).toMatchObject({
      traceId,
      parentSpanId: hex(8, 16),
      name: "POST /events",
      kind: "server",
      attributes: { "http.response.status_code": 202 },
      links: [],
    });
    expect(tracing.request()).toEqual({ own: `00-${traceId}-${span?.spanId}-01`, sent: traceparent(7, 8) });
  });

  it("an invocation for messages links to the requests that it serves, and has a span in the trace of each", () => {
    const { tracing, written } = underTest();
    const own = tracing.begin(undefined);

    for (const each of [traceparent(1, 11), traceparent(2, 12), traceparent(1, 11), "no", undefined])
      tracing.serve(each);
    tracing.end(END);

    const [[batch, ...steps] = []] = written;
    expect(batch).toMatchObject({ traceId: own, parentSpanId: undefined, name: "consume" });
    expect(batch?.links).toMatchObject([
      { traceId: hex(1, 32), spanId: hex(11, 16) },
      { traceId: hex(2, 32), spanId: hex(12, 16) },
    ]);
    const link = { traceId: own, spanId: batch?.spanId };
    expect(steps).toMatchObject([
      { traceId: hex(1, 32), parentSpanId: hex(11, 16), name: "consume", links: [link] },
      { traceId: hex(2, 32), parentSpanId: hex(12, 16), name: "consume", links: [link] },
    ]);
    expect(new Set(written.flat().map(({ spanId }) => spanId)).size).toBe(3);
    expect(tracing.served()).toEqual([hex(1, 32), hex(2, 32)]);
  });

  it("of a thousand requests in a batch, twenty are linked and named, and two functions choose the same", () => {
    const spans = Array.from({ length: 1_000 }, (_, i) => (i * 7_919) % 100_003);
    const [one, other] = [underTest(), underTest()];
    one.tracing.begin(undefined);
    other.tracing.begin(undefined);

    for (const [i, span] of spans.entries()) one.tracing.serve(traceparent(i + 1, span + 1));
    for (const [i, span] of [...spans.entries()].toReversed()) other.tracing.serve(traceparent(i + 1, span + 1));
    one.tracing.end(END);
    other.tracing.end(END);

    const chosen = one.tracing.served();
    expect(chosen).toHaveLength(TRACES_MAX_OF_INVOCATION);
    expect(other.tracing.served()).toEqual(chosen);
    expect(one.written[0]?.[0]?.links).toHaveLength(TRACES_MAX_OF_INVOCATION);
    expect(one.written[0]).toHaveLength(1 + TRACES_MAX_OF_INVOCATION);
  });

  it("what is sent about one event is in the trace of the event, and links to the invocation", () => {
    const { tracing, written } = underTest();
    const own = tracing.begin(undefined);

    const sending = tracing.send("webhook", [traceparent(5, 6)]);
    sending.end({ attributes: { "http.response.status_code": 500 }, isError: true });
    tracing.end(END);

    const [[round, delivery] = []] = written;
    expect(sending.traceparent).toBe(`00-${hex(5, 32)}-${delivery?.spanId}-01`);
    expect(delivery).toMatchObject({
      traceId: hex(5, 32),
      parentSpanId: hex(6, 16),
      name: "webhook",
      kind: "client",
      links: [{ traceId: own, spanId: round?.spanId }],
      isError: true,
    });
    expect(round?.links).toMatchObject([{ traceId: hex(5, 32), spanId: hex(6, 16) }]);
    // The delivery is that span; the round has no other one in the trace.
    expect(written[0]).toHaveLength(2);
  });

  it("what is sent about several events is in the trace of the invocation, and links to theirs", () => {
    const { tracing, written } = underTest();
    const own = tracing.begin(undefined);

    const sending = tracing.send("webhook", [traceparent(1, 1), undefined, traceparent(2, 2), traceparent(1, 1)]);
    sending.end({ attributes: {}, isError: false });
    tracing.end(END);

    const [[round, delivery] = []] = written;
    expect(delivery).toMatchObject({ traceId: own, parentSpanId: round?.spanId });
    expect(delivery?.links).toMatchObject([{ traceId: hex(1, 32) }, { traceId: hex(2, 32) }]);
    expect(tracing.served()).toEqual([hex(1, 32), hex(2, 32)]);
  });

  it("an invocation that sends much has spans of twenty, though all that is sent has a place in a trace", () => {
    const { tracing, written } = underTest();
    tracing.begin(undefined);

    const sent = Array.from({ length: 500 }, (_, i) => {
      const sending = tracing.send("webhook", i % 2 === 0 ? [traceparent(i + 1, i + 1)] : [undefined]);
      sending.end({ attributes: {}, isError: false });
      return sending.traceparent;
    });
    tracing.end(END);

    expect(new Set(sent).size).toBe(500);
    expect(written[0]).toHaveLength(1 + TRACES_MAX_OF_INVOCATION);
  });

  it("without an output there are traces and no spans, and the client's flag is passed on", () => {
    const tracing = createTracing("ingest", undefined);

    tracing.begin(traceparent(1, 1).replace(/00$/, "01"));
    expect(tracing.request().own).toMatch(/-01$/);
    tracing.begin(traceparent(1, 1));
    expect(tracing.request().own).toMatch(/-00$/);
    expect(tracing.send("webhook", [traceparent(2, 2)]).traceparent).toMatch(new RegExp(`^00-${hex(2, 32)}-.*-00$`));
    tracing.end(END);
  });

  it("an invocation has one span, and its times are those of the clock", () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 21) });
    try {
      const { tracing, written } = underTest();
      tracing.begin(undefined);
      vi.advanceTimersByTime(250);
      tracing.end(END);
      tracing.end(END);

      expect(written).toHaveLength(1);
      expect(written[0]?.[0]).toMatchObject({
        startedAt: Date.UTC(2026, 10, 21),
        endedAt: Date.UTC(2026, 10, 21) + 250,
      });
    } finally {
      vi.useRealTimers();
    }
  });
});
