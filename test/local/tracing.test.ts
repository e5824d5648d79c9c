import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTraceparent } from "../../functions/core/trace.ts";
import { eventually } from "../support/eventually.ts";
import { call, post } from "../support/http.ts";
import { type HttpSink, startHttpSink } from "../support/http-sink.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { refuseSecretsIn, secretTexts } from "../support/secret-texts.ts";

/** A span as the receiver of OTLP gets it. */
type ReceivedSpan = {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  links?: { traceId: string; spanId: string }[];
};

type Otlp = {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: ReceivedSpan[] }[];
  }[];
};

let collector: HttpSink;
let receiver: HttpSink;
let runtime: TestRuntime;
beforeAll(async () => {
  [collector, receiver] = await Promise.all([startHttpSink(), startHttpSink()]);
  runtime = await startTestRuntime(undefined, { otlpEndpoint: collector.url });
});
afterAll(async () => {
  const secrets = runtime === undefined ? [] : [...(await secretTexts(runtime.dataDir)), runtime.addresses.apiKey];
  await runtime?.remove();
  refuseSecretsIn(
    collector.received.map(({ body }) => body.toString()),
    secrets,
  );
  await Promise.all([collector?.stop(), receiver?.stop()]);
});

function spans(): ReceivedSpan[] {
  return collector.received.flatMap(({ body }) =>
    (JSON.parse(body.toString()) as Otlp).resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const service = resource.attributes.find(({ key }) => key === "service.name")?.value.stringValue ?? "";
      return scopeSpans.flatMap((each) => each.spans.map((span) => ({ ...span, service })));
    }),
  );
}

/** The lines that functions have written for whole invocations. */
const linesOf = (service: string, message: string) =>
  runtime.lines
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line["service"] === service && line["message"] === message);

async function subscribe(source: string): Promise<void> {
  const body = JSON.stringify({
    name: "traced",
    filter: { exact: { source } },
    sink: { type: "webhook", url: receiver.url },
  });
  const headers = { "content-type": "application/json" };
  const { status } = await call(`${runtime.addresses.url}/subscriptions`, { method: "POST", headers, body });
  expect(status).toBe(201);
}

const newTraceparent = () => `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;

describe("one trace", () => {
  it("one trace leads from a request over its row to its webhook, as spans and links", async () => {
    await subscribe("/traced");
    const sent = newTraceparent();
    const client = readTraceparent(sent);

    const answer = await post(
      runtime.addresses.url,
      { id: "t-1", source: "/traced", type: "com.example.traced", data: 1 },
      { traceparent: sent },
    );
    const own = readTraceparent(answer.headers.get("traceparent") ?? "");
    expect({ status: answer.status, traceId: own?.traceId }).toEqual({ status: 202, traceId: client?.traceId });

    // The webhook has its place in the trace, and the event has the one that it was sent in.
    const webhook = await eventually(() => receiver.received[0]);
    const delivery = readTraceparent(String(webhook.headers["traceparent"]));
    expect(JSON.parse(webhook.body.toString())).toMatchObject({ id: "t-1", traceparent: sent });
    const rows = await runtime.query("select extensions ->> 'traceparent' as traceparent from events where id = 't-1'");
    expect(rows).toEqual([{ traceparent: sent }]);

    const inTrace = await eventually(
      () => spans().filter(({ traceId }) => traceId === client?.traceId),
      ({ length }) => length >= 3,
    );
    const { traceId } = client ?? {};
    expect(inTrace.toSorted((a, b) => a.kind - b.kind)).toMatchObject([
      { service: "ingest", name: "POST /events", kind: 2, spanId: own?.spanId, parentSpanId: client?.spanId },
      { service: "notify", name: "webhook", kind: 3, spanId: delivery?.spanId, parentSpanId: client?.spanId },
      { service: "consume", name: "consume", kind: 5, parentSpanId: own?.spanId },
    ]);
    // The spans of both batches are in traces of their own, and all of it is linked.
    const batchOf = (service: string) =>
      spans().find((span) => span.service === service && span.traceId !== traceId && span.links !== undefined);
    const [stored, sentOn] = [batchOf("consume"), batchOf("notify")];
    expect(stored?.links).toEqual([{ traceId, spanId: own?.spanId }]);
    expect(sentOn?.links).toEqual([{ traceId, spanId: client?.spanId }]);
    const linkTo = (span: ReceivedSpan | undefined) => [{ traceId: span?.traceId, spanId: span?.spanId }];
    expect(inTrace.find(({ service }) => service === "consume")?.links).toEqual(linkTo(stored));
    expect(inTrace.find(({ service }) => service === "notify")?.links).toEqual(linkTo(sentOn));

    // The lines of all three functions name the trace.
    expect(linesOf("ingest", "request").filter((line) => line["trace_id"] === traceId)).toHaveLength(1);
    for (const [service, span] of [
      ["consume", stored],
      ["notify", sentOn],
    ] as const) {
      const lines = linesOf(service, "batch").filter((line) =>
        (line["traces"] as string[] | undefined)?.includes(traceId ?? ""),
      );
      expect(lines).toMatchObject([{ trace_id: span?.traceId, traces: [traceId] }]);
    }
  });

  it("one trace is in the messages of a request that was sent in none, and each line of a function has one", async () => {
    const { headers } = await post(runtime.addresses.url, {
      id: "t-2",
      source: "/untraced",
      type: "com.example.traced",
      data: 1,
    });
    const traceId = readTraceparent(headers.get("traceparent") ?? "")?.traceId;

    const line = await eventually(() =>
      linesOf("consume", "batch").find((each) => (each["traces"] as string[] | undefined)?.includes(traceId ?? "")),
    );

    expect(line).toMatchObject({ EventsStored: 1, trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
    const rows = await runtime.query("select extensions from events where id = 't-2'");
    expect(rows).toEqual([{ extensions: null }]);
    const withoutTrace = runtime.lines.filter(
      (each) => each.startsWith('{"level"') && !/"trace_id":"[0-9a-f]{32}"/.test(each),
    );
    expect(withoutTrace).toEqual([]);
  });

  it("an invocation has one line, in which its metrics are", async () => {
    await post(runtime.addresses.url, { id: "t-3", source: "/line", type: "com.example.traced", data: 1 });

    const requests = linesOf("ingest", "request").map((line) => line["requestId"]);
    const metrics = runtime.metrics.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(new Set(requests).size).toBe(requests.length);
    for (const id of requests) {
      const [first, ...others] = metrics.filter((line) => line["requestId"] === id);
      expect(first).toMatchObject({
        message: "request",
        EventsAccepted: 1,
        service: "ingest",
        stage: "dev",
      });
      expect(others).toEqual([]);
    }
    expect(metrics.filter((line) => line["message"] === undefined)).toEqual([]);
  });
});
