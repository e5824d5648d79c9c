import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REQUEST_MAX_BYTES } from "../../../functions/core/limits.ts";
import { catalog } from "../../../functions/adapters/catalog/catalog.ts";
import { createIngest } from "../../../functions/ingest/ingest.ts";
import { door, memoryQueue, NOW, order } from "./support.ts";

const cloudEvent = (overrides: Record<string, unknown> = {}) => ({
  specversion: "1.0",
  id: "c-1",
  source: "/ce",
  type: "com.example.ce",
  ...overrides,
});

/** What the door queued of one request, and its verdicts. */
async function sent(body: unknown, headers: Record<string, string>) {
  const { queue, events } = memoryQueue();
  const { results } = await door(queue)(body, headers);
  return {
    events: events() as Record<string, unknown>[],
    verdicts: results.map(({ status, errors }) => [
      status,
      ...(errors ?? []).map(({ path, code }) => `${path} ${code}`),
    ]),
  };
}

describe("NDJSON", () => {
  const headers = { "content-type": "application/x-ndjson" };

  it("has an event a line; empty lines do not count and a line end may be CRLF", async () => {
    const { events } = await sent(`${JSON.stringify(order("a"))}\r\n\n${JSON.stringify(order("b"))}\n`, headers);

    expect(events.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("judges a line that is not JSON as one invalid event", async () => {
    const { events, verdicts } = await sent(
      `${JSON.stringify(order("a"))}\n{"id":\n${JSON.stringify(order("b"))}`,
      headers,
    );

    expect(verdicts).toEqual([["accepted"], ["invalid", " malformed_json"], ["accepted"]]);
    expect(events).toHaveLength(2);
  });

  it("needs a line", async () => {
    await expect(sent("\n \n", headers)).rejects.toMatchObject({ code: "malformed_body" });
  });
});

describe("CloudEvents, structured", () => {
  const headers = { "content-type": "application/cloudevents+json; charset=UTF-8" };

  it("is one event whose attributes come back as sent", async () => {
    const event = cloudEvent({
      subject: "s",
      time: "2026-11-21T10:00:00Z",
      dataschema: "urn:s",
      datacontenttype: "text/xml",
      data: "<a/>",
      myext: 7,
      flag: true,
    });

    const { events } = await sent(event, headers);

    const { specversion: _specversion, myext, flag, ...attributes } = event as Record<string, unknown>;
    expect(events).toEqual([{ ...attributes, extensions: { myext, flag } }]);
  });

  it.each([
    ["no data", {}, {}],
    ["null data", { data: null }, { data: null }],
    ["binary data", { data_base64: "AAEC/w==" }, { data_base64: "AAEC/w==" }],
    ["attributes that are null", { subject: null, myext: null, data: 1 }, { data: 1 }],
  ])("takes %s", async (_name, overrides, stored) => {
    const [event = {}] = (await sent(cloudEvent(overrides), headers)).events;
    const { id: _id, source: _source, type: _type, time: _time, ...rest } = event;

    expect(rest).toEqual(stored);
  });

  it.each([
    [{ id: undefined }, "/id required"],
    [{ id: "" }, "/id too_small"],
    [{ specversion: "0.3" }, "/specversion invalid_value"],
    [{ specversion: undefined }, "/specversion invalid_value"],
    [{ data: 1, data_base64: "AA==" }, "/data_base64 custom"],
    [{ data_base64: "%" }, "/data_base64 invalid_format"],
    [{ MyExt: 1 }, "/MyExt unknown_attribute"],
    [{ myext: { a: 1 } }, "/myext invalid_union"],
  ])("refuses %j with %s", async (overrides, fault) => {
    expect((await sent(cloudEvent(overrides), headers)).verdicts[0]).toContain(fault);
  });

  it("is not an array", async () => {
    await expect(sent([cloudEvent()], headers)).rejects.toMatchObject({ code: "malformed_body" });
  });
});

describe("CloudEvents, batched", () => {
  const headers = { "content-type": "application/cloudevents-batch+json" };

  it("is an array with a verdict for each event", async () => {
    expect((await sent([cloudEvent(), cloudEvent({ id: undefined })], headers)).verdicts).toEqual([
      ["accepted"],
      ["invalid", "/id required"],
    ]);
  });

  it.each([
    ["an object", cloudEvent()],
    ["empty", []],
  ])("is not %s", async (_name, body) => {
    await expect(sent(body, headers)).rejects.toMatchObject({ code: "malformed_body" });
  });
});

describe("CloudEvents, binary", () => {
  const attributes = { "ce-specversion": "1.0", "ce-id": "b-1", "ce-source": "/b", "ce-type": "com.example.b" };

  it.each([
    ["JSON", "application/json", '{"n":12345678901234567890}', { data: expect.anything() }],
    ["JSON by suffix", "application/vnd.x+json", "[1]", { data: [1] }],
    ["text", "text/plain; charset=utf-8", "größe", { data: "größe" }],
    ["bytes", "application/octet-stream", new Uint8Array([0, 255, 10]), { data_base64: "AP8K" }],
    ["nothing", "application/json", "", {}],
  ])("takes %s", async (_name, contentType, body, data) => {
    const [event] = (await sent(body, { ...attributes, "content-type": contentType })).events;

    expect(event).toEqual({
      id: "b-1",
      source: "/b",
      type: "com.example.b",
      time: expect.any(String),
      datacontenttype: contentType,
      ...data,
    });
  });

  it("takes bytes without a content type", async () => {
    const [event] = (await sent(new Uint8Array([1]), attributes)).events;

    expect(event).toMatchObject({ data_base64: "AQ==" });
  });

  it("decodes header values as the HTTP binding says", async () => {
    const [event] = (
      await sent("", { ...attributes, "ce-subject": '"Euro%20%E2%82%AC%20%F0%9F%98%80"', "ce-myext": "50% off" })
    ).events;

    expect(event).toMatchObject({ subject: "Euro € 😀", extensions: { myext: "50% off" } });
  });

  it.each([
    ['"a" and "b"', '"a" and "b"'],
    ["%E2%82", "%E2%82"],
    ["100%ff", "100%ff"],
    ['"quo\\"ted"', 'quo"ted'],
  ])("reads the header value %s as %s", async (value, subject) => {
    const [event] = (await sent("", { ...attributes, "ce-subject": value })).events;

    expect(event).toMatchObject({ subject });
  });

  it.each(["ce-data", "ce-data_base64", "ce-datacontenttype", "ce-__proto__"])(
    "refuses the header %s",
    async (name) => {
      await expect(sent("", { ...attributes, [name]: "x" })).rejects.toMatchObject({
        code: "bad_header",
        message: expect.stringContaining(name),
      });
    },
  );

  it("keeps a byte order mark in text, which is data here", async () => {
    const [event] = (await sent("\ufefftext", { ...attributes, "content-type": "text/plain" })).events;

    expect(event).toMatchObject({ data: "\ufefftext" });
  });

  it("keeps data that is gzip itself when the transport has inflated the body", async () => {
    const file = gzipSync("inner");
    const { queue, events } = memoryQueue();
    const ingest = createIngest({
      queue,
      catalog,
      unknownTypes: "accept",
      clock: () => new Date(NOW),
      newId: () => "made",
    });

    await ingest({
      tenant: "default",
      headers: { ...attributes, "content-type": "application/gzip", "content-encoding": "gzip" },
      inflated: true,
      validateOnly: false,
      body: file,
      deadline: 0,
    });

    expect(events()).toMatchObject([{ data_base64: file.toString("base64") }]);
  });

  it("gives way to the structured mode, which its content type asks for", async () => {
    const [event] = (await sent(cloudEvent(), { ...attributes, "content-type": "application/cloudevents+json" }))
      .events;

    expect(event).toMatchObject({ id: "c-1" });
  });
});

describe("gzip", () => {
  const json = { "content-type": "application/json" };
  const zipped = { ...json, "content-encoding": "gzip" };

  it("is undone", async () => {
    expect((await sent(gzipSync(JSON.stringify(order("a"))), zipped)).events).toMatchObject([{ id: "a" }]);
  });

  it("leaves parameters of the content type alone, quoted or not", async () => {
    for (const contentType of ['application/json; x="a;charset=utf-16"', 'application/json;charset="UTF-8"; q=1']) {
      expect((await sent(order("a"), { "content-type": contentType })).events).toHaveLength(1);
    }
  });

  it("may be undone already, as REST APIs do, though the header says it is not", async () => {
    expect((await sent(order("a"), zipped)).events).toMatchObject([{ id: "a" }]);
  });

  it.each([
    ["a damaged stream", gzipSync("x").subarray(0, 12), zipped, "malformed_body"],
    ["an encoding it does not know", "x", { ...json, "content-encoding": "br" }, "unsupported_media_type"],
  ])("refuses %s", async (_name, body, headers, code) => {
    await expect(sent(body, headers)).rejects.toMatchObject({ code });
  });

  it("inflates up to the limit of a body and refuses one byte more", async () => {
    const body = (bytes: number) => gzipSync(JSON.stringify(order("a")).padEnd(bytes, " "));

    expect((await sent(body(REQUEST_MAX_BYTES), zipped)).events).toHaveLength(1);
    await expect(sent(body(REQUEST_MAX_BYTES + 1), zipped)).rejects.toMatchObject({
      code: "body_too_large",
      message: expect.stringContaining("inflated"),
    });
  });

  it("costs a bomb of 100 MiB less than 20 MiB of memory and 50 ms", async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
    const times: number[] = [];
    const grown: number[] = [];

    for (let run = 0; run < 7; run++) {
      const [before, started] = [process.memoryUsage().rss, performance.now()];
      await expect(sent(bomb, zipped)).rejects.toMatchObject({ code: "body_too_large" });
      times.push(performance.now() - started);
      grown.push(process.memoryUsage().rss - before);
    }

    // The median of the times, because another process may take the core; of the memory the greatest growth.
    expect(median(times)).toBeLessThan(50);
    expect(Math.max(...grown)).toBeLessThan(20 * 1024 * 1024);
  });
});

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

describe("a list of events", () => {
  const ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const arbitrary = fc.constantFrom(
    ...ids.map((id) => order(id)),
    ...ids.map((id) => ({ ...order(id), type: 5 })),
    ...ids.map((id) => order(id, { data: { n: 1e300 } })),
  );

  it("gets the same verdicts however it is split into requests, and whatever the format", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(arbitrary, { selector: ({ id }) => id, minLength: 1 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 4 })),
        fc.boolean(),
        async (list, sizes, lines) => {
          const whole = await sent(list, { "content-type": "application/json" });
          const parts = [];
          for (let at = 0; at < list.length; ) {
            const part = list.slice(at, at + (sizes.next().value ?? 1));
            at += part.length;
            parts.push(
              lines
                ? await sent(part.map((event) => JSON.stringify(event)).join("\n"), {
                    "content-type": "application/x-ndjson",
                  })
                : await sent(part, { "content-type": "application/json" }),
            );
          }

          expect(parts.flatMap(({ verdicts }) => verdicts)).toEqual(whole.verdicts);
          expect(parts.flatMap(({ events }) => events)).toEqual(whole.events);
        },
      ),
      { numRuns: 60 },
    );
  });
});
