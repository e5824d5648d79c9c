import { describe, expect, it } from "vitest";
import { envelope } from "../../../functions/core/envelope-schema.ts";
import { ingestTo, memoryQueue, NOW, order } from "./support.ts";

const trace = { own: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, sent: `00-${"a".repeat(32)}-${"c".repeat(16)}-00` };
const JSON_TYPE = { "content-type": "application/json" };

describe("the trace of a request", () => {
  it("every message of a request has its place in the trace and that of its client, and events stay as they were sent", async () => {
    const { queue, enqueued } = memoryQueue();
    const list = `{"data": 1.50,"type":"t","source":"/s","id":"1","time":"${NOW}"}`;

    await ingestTo(queue)(`[${list}]`, JSON_TYPE, { trace });
    await ingestTo(queue)([order("2", { traceparent: "00-own" }), {}], JSON_TYPE, { trace });

    expect(enqueued[0]?.body).toContain(`"events":[${list}]}`);
    expect(enqueued.map(({ body }) => envelope().parse(JSON.parse(body)))).toMatchObject([
      { traceparent: trace.own, eventTraceparent: trace.sent, events: [{ id: "1" }] },
      { traceparent: trace.own, eventTraceparent: trace.sent, events: [{ extensions: { traceparent: "00-own" } }] },
    ]);
  });

  it("a message has no trace of a client that sent none", async () => {
    const { queue, enqueued } = memoryQueue();

    await ingestTo(queue)([order("1")], JSON_TYPE, { trace: { ...trace, sent: undefined } });

    expect(enqueued[0]?.body).not.toContain("eventTraceparent");
  });
});
