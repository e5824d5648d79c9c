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
        expect(read.flatMap((each) => (each.kind === "readable" ? each.events : []))).toHaveLength(accepted);
      }),
      { numRuns: 200 },
    );
  });
});
