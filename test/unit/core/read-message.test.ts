import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMessage } from "../../../functions/core/read-message.ts";
import { ingestTo, memoryQueue } from "../ingest/support.ts";

describe("a message", () => {
  it("can be read by the consumer whatever ingest accepted into it", async () => {
    const text = fc.string({ unit: "binary", maxLength: 40 });
    const extension = fc.oneof(text, fc.boolean(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
    const event = fc.record(
      {
        id: text,
        source: text,
        type: text,
        subject: text,
        time: fc
          .date({ min: new Date("0001-01-02"), max: new Date("9999-12-30"), noInvalidDate: true })
          .map((date) => date.toISOString()),
        dataschema: text,
        datacontenttype: text,
        a1: extension,
        zz: extension,
        data: fc.jsonValue({ stringUnit: "binary" }),
      },
      { requiredKeys: ["source", "type", "data"] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 8 }), async (events) => {
        const { queue, enqueued } = memoryQueue();

        const { accepted } = await ingestTo(queue)(events);

        const read = enqueued.map(({ body }) => readMessage(body));
        expect(read.filter(({ kind }) => kind === "unreadable")).toEqual([]);
        expect(read.flatMap((each) => (each.kind === "readable" ? each.envelope.events : []))).toHaveLength(accepted);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the trace of a message", () => {
  it("the trace of a message is none where it is no traceparent, and its events are read all the same", () => {
    const events = [{ id: "1", source: "/s", type: "t", time: "2026-11-21T09:29:00Z" }];
    const head = { version: 1, tenant: "t", receivedAt: "2026-11-21T09:29:00.000Z" };
    const body = JSON.stringify({ ...head, traceparent: "00-bad", eventTraceparent: 7, events });

    expect(readMessage(body)).toMatchObject({
      kind: "readable",
      envelope: { traceparent: undefined, events: [{ id: "1" }] },
    });
  });
});
