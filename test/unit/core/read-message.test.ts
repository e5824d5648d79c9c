import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headOf, originOf, readMessage } from "../../../functions/core/read-message.ts";
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
        expect(read.flatMap((each) => (each.kind === "readable" ? each.events : []))).toHaveLength(accepted);
      }),
      { numRuns: 200 },
    );
  });

  const [producer, sequence] = ["0mi2x0000aaaaaaaaaaaa", 41];
  const event = (id: string) => JSON.stringify({ id, source: "/s", type: "t", time: "2026-11-21T09:30:00Z" });
  const message = (head: object, ...texts: string[]) =>
    `{"version":1,"tenant":"acme","receivedAt":"2026-11-21T09:30:00.000Z",${JSON.stringify(head).slice(1, -1)},"events":[${texts.join(",")}]}`;
  const headsOf = (body: string) => {
    const read = readMessage(body);
    if (read.kind === "unreadable") throw new Error(read.detail);
    const heads = (of: "events" | "unreadable") =>
      read[of].map(({ index }) => [headOf(read.head, index).producer, headOf(read.head, index).sequence]);
    return {
      events: heads("events"),
      unreadable: heads("unreadable"),
      origins: read.events.map(({ index }) => originOf(read.head, index)),
    };
  };

  it("gives each of its events its own number, from that of the first one on", () => {
    expect(headsOf(message({ producer, sequence }, event("a"), event("b"), event("c")))).toEqual({
      events: [41, 42, 43].map((number) => [producer, number]),
      unreadable: [],
      origins: [41, 42, 43].map((number) => ({ producer, sequence: number })),
    });
  });

  it("counts an event that cannot be read among the numbers of its neighbours", () => {
    expect(headsOf(message({ producer, sequence }, event("a"), "Infinity", event("c"), "{}"))).toMatchObject({
      events: [
        [producer, 41],
        [producer, 43],
      ],
      unreadable: [
        [producer, 42],
        [producer, 44],
      ],
    });
  });

  it.each([
    ["neither producer nor number", {}],
    ["a producer alone", { producer }],
    ["a number alone", { sequence }],
  ])("with %s has events without a number", (_what, head) => {
    expect(headsOf(message({ traceparent: TRACE, ...head }, event("a"))).origins).toEqual([undefined]);
  });
});

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
describe("the trace of a message", () => {
  it("the trace of a message is none where it is no traceparent, and its events are read all the same", () => {
    const events = [{ id: "1", source: "/s", type: "t", time: "2026-11-21T09:29:00Z" }];
    const head = { version: 1, tenant: "t", receivedAt: "2026-11-21T09:29:00.000Z" };
    const body = JSON.stringify({ ...head, traceparent: "00-bad", eventTraceparent: 7, events });

    expect(readMessage(body)).toMatchObject({
      kind: "readable",
      head: { tenant: "t", traceparent: undefined },
      events: [{ event: { id: "1" } }],
    });
  });
});
