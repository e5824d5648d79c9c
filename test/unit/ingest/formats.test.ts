import zlib, { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REQUEST_MAX_BYTES } from "../../../functions/core/limits.ts";
import { spyOnBuiltIn } from "../../support/spy-on-built-in.ts";
import { ingestTo, memoryQueue, order } from "./support.ts";

const cloudEvent = (overrides: Record<string, unknown> = {}) => ({
  specversion: "1.0",
  id: "c-1",
  source: "/ce",
  type: "com.example.ce",
  ...overrides,
});

/** The events that ingest enqueued of one request, and its verdicts. */
async function sent(body: unknown, headers: Record<string, string>) {
  const { queue, events } = memoryQueue();
  const { results } = await ingestTo(queue)(body, headers);
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

  it("NDJSON is read as one event a line, without empty lines, whether lines end with LF or CRLF", async () => {
    const { events } = await sent(`${JSON.stringify(order("a"))}\r\n\n${JSON.stringify(order("b"))}\n`, headers);

    expect(events.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("NDJSON with a line that is not JSON reports that line as one invalid event", async () => {
    const { events, verdicts } = await sent(
      `${JSON.stringify(order("a"))}\n{"id":\n${JSON.stringify(order("b"))}`,
      headers,
    );

    expect(verdicts).toEqual([["accepted"], ["invalid", " malformed_json"], ["accepted"]]);
    expect(events).toHaveLength(2);
  });

  it("NDJSON gets verdicts with the number of the line, empty lines counted", async () => {
    const body = `\n${JSON.stringify(order("a"))}\r\n \n\n{\n${"[".repeat(2_000)}\n[1]\n7`;

    const { results } = await ingestTo(memoryQueue().queue)(body, headers);

    expect(results.map(({ index, line, status }) => [index, line, status])).toEqual([
      [0, 2, "accepted"],
      [1, 5, "invalid"],
      [2, 6, "invalid"],
      [3, 7, "invalid"],
      [4, 8, "invalid"],
    ]);
  });

  it("NDJSON names the content type of an array", async () => {
    const { results } = await ingestTo(memoryQueue().queue)(JSON.stringify([order("a")]), headers);

    expect(results).toMatchObject([
      { errors: [{ code: "invalid_type", message: expect.stringContaining("application/json") }] },
    ]);
  });

  it.each(["application/cloudevents+json", "application/cloudevents-batch+json"])(
    "NDJSON is named where two lines are sent as %s",
    async (contentType) => {
      const body = `${JSON.stringify(order("a"))}\n${JSON.stringify(order("b"))}\n`;

      await expect(sent(body, { "content-type": contentType })).rejects.toMatchObject({
        code: "malformed_body",
        message: expect.stringContaining("application/x-ndjson"),
      });
    },
  );

  it("NDJSON with other content under a key names the line of the event before it", async () => {
    const body = `\n${JSON.stringify(order("a"))}\n\n${JSON.stringify(order("a", { subject: "2" }))}`;

    const { results } = await ingestTo(memoryQueue().queue)(body, headers);

    expect(results[1]).toMatchObject({
      line: 4,
      errors: [{ code: "id_conflict", message: expect.stringContaining("the event in line 2") }],
    });
  });

  it.each([
    ["two lines", '{"a":1}\n{"a":2}\n', true],
    ["lines that end with CRLF, after empty ones", '\r\n{"a":1}\r\n{"a":2}', true],
    ["a second line that is not JSON", '{"a":1}\n{', true],
    ["a first line that is not JSON", '{\n{"a":1}\n', true],
    ["one value over several lines", '{"a":\n1,\n', false],
    ["one line that is not JSON", '{"a":1}}', false],
    ["lines that are no objects", "1\n2", false],
  ])("NDJSON is named where %s are sent as application/json: %s", async (_name, body, isNamed) => {
    const error = await sent(body, { "content-type": "application/json" }).catch((cause: Error) => cause);

    expect(error).toMatchObject({ code: "malformed_body" });
    expect((error as Error).message.includes("application/x-ndjson")).toBe(isNamed);
  });

  it("NDJSON is refused without any line", async () => {
    await expect(sent("\n \n", headers)).rejects.toMatchObject({ code: "malformed_body" });
  });
});

describe("CloudEvents, structured", () => {
  const headers = { "content-type": "application/cloudevents+json; charset=UTF-8" };

  it("CloudEvents are enqueued with their attributes as sent", async () => {
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
  ])("a CloudEvent may have %s", async (_name, overrides, expected) => {
    const [event = {}] = (await sent(cloudEvent(overrides), headers)).events;
    const { id: _id, source: _source, type: _type, time: _time, ...rest } = event;

    expect(rest).toEqual(expected);
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
  ])("a CloudEvent with %j is refused as %s", async (overrides, error) => {
    expect((await sent(cloudEvent(overrides), headers)).verdicts[0]).toContain(error);
  });

  it("CloudEvents in structured mode are refused in an array, with the content type of one", async () => {
    await expect(sent([cloudEvent()], headers)).rejects.toMatchObject({
      code: "malformed_body",
      message: expect.stringContaining("application/cloudevents-batch+json"),
    });
  });

  it("CloudEvents in structured mode name the content type of an event without specversion", async () => {
    const { results } = await ingestTo(memoryQueue().queue)(cloudEvent({ specversion: undefined }), headers);

    expect(results).toMatchObject([
      { errors: [{ path: "/specversion", message: expect.stringContaining("application/json") }] },
    ]);
  });

  it.each(["application/json", "application/x-ndjson"])(
    "CloudEvents in structured mode are read as such in %s too, by their specversion",
    async (type) => {
      const forms = [
        cloudEvent({ id: "1" }),
        cloudEvent({ id: "2", subject: null, data: 1 }),
        cloudEvent({ id: "3", data_base64: "AAE=" }),
        cloudEvent({ id: undefined, data: 1 }),
        cloudEvent({ id: "5", specversion: "0.3" }),
        order("6"),
      ];
      const texts = forms.map((each) => JSON.stringify(each));

      const { events, verdicts } = await sent(type === "application/json" ? `[${texts.join(",")}]` : texts.join("\n"), {
        "content-type": type,
      });

      expect(verdicts).toEqual([
        ["accepted"],
        ["accepted"],
        ["accepted"],
        ["invalid", "/id required"],
        ["invalid", "/specversion invalid_value"],
        ["accepted"],
      ]);
      expect(events.map(({ id, data, data_base64 }) => [id, data, data_base64])).toEqual([
        ["1", undefined, undefined],
        ["2", 1, undefined],
        ["3", undefined, "AAE="],
        ["6", order("6").data, undefined],
      ]);
    },
  );
});

describe("CloudEvents, batched", () => {
  const headers = { "content-type": "application/cloudevents-batch+json" };

  it("a batch of CloudEvents gets a verdict for each event of the array", async () => {
    expect((await sent([cloudEvent(), cloudEvent({ id: undefined })], headers)).verdicts).toEqual([
      ["accepted"],
      ["invalid", "/id required"],
    ]);
  });

  it("a batch of CloudEvents is refused as an object, with the content type of one", async () => {
    await expect(sent(cloudEvent(), headers)).rejects.toMatchObject({
      code: "malformed_body",
      message: expect.stringContaining("application/cloudevents+json"),
    });
  });

  it.each(["[]", " [ ] "])("a batch of CloudEvents may be empty (%j), and sends no message then", async (body) => {
    const { queue, enqueued } = memoryQueue();

    expect(await ingestTo(queue)(body, headers)).toEqual({ kind: "enqueued", accepted: 0, rejected: 0, results: [] });
    expect(enqueued).toEqual([]);
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
  ])("a CloudEvent in binary mode may carry %s", async (_name, contentType, body, data) => {
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

  it("a CloudEvent in binary mode may carry bytes without a content type", async () => {
    const [event] = (await sent(new Uint8Array([1]), attributes)).events;

    expect(event).toMatchObject({ data_base64: "AQ==" });
  });

  it("a CloudEvent in binary mode has its header values decoded as the HTTP binding says", async () => {
    const [event] = (
      await sent("", { ...attributes, "ce-subject": '"Euro%20%E2%82%AC%20%F0%9F%98%80"', "ce-myext": "50% off" })
    ).events;

    expect(event).toMatchObject({ subject: "Euro € 😀", extensions: { myext: "50% off" } });
  });

  it.each([
    ['"a" and "b"', '"a" and "b"'],
    ['"quo\\"ted"', 'quo"ted'],
    ['"back\\\\slash"', "back\\slash"],
    ['"open', '"open'],
    ['"open\\"', '"open\\"'],
    ['"', '"'],
    ["back\\slash", "back\\slash"],
    ['"%22"', '"'],
    ["%2541", "%41"],
    ["%61%c3%a9", "aé"],
    ["100%25", "100%"],
    ["100%", "100%"],
    ["%2", "%2"],
    ["%zz", "%zz"],
    ["%%41", "%A"],
    ["%2%35", "%25"],
  ])("the header value %s of a CloudEvent in binary mode is read as %s", async (value, subject) => {
    const [event] = (await sent("", { ...attributes, "ce-subject": value })).events;

    expect(event).toMatchObject({ subject });
  });

  it.each([
    ["a byte that is none of UTF-8", "a%FFb"],
    ["a character that is cut off", "%E2%82"],
    ["a character in two parts", "%C3x%A9"],
    ["an overlong space", "%C0%A0"],
    ["half of a surrogate pair", "%ED%A0%80"],
    ["a code point beyond Unicode", "%F4%90%80%80"],
    ["such bytes in quotes", '"%FF"'],
  ])("a CloudEvent in binary mode is refused with %s in percent-encoding: %s", async (_name, value) => {
    await expect(sent("", { ...attributes, "ce-subject": value })).rejects.toMatchObject({
      code: "bad_header",
      message: expect.stringMatching(/ce-subject.*not UTF-8/),
    });
  });

  it.each([
    ["ce-subject", "café"],
    ["ce-id", "hé"],
    ["ce-myext", "€"],
    ["ce-source", "/\ufffd"],
    ["ce-type", "tab\there"],
    ["content-type", "text/plän"],
  ])(
    "a CloudEvent in binary mode is refused with %s: %s, whether the transport reads bytes as UTF-8 or as Latin-1",
    async (name, text) => {
      for (const value of [text, Buffer.from(text).toString("latin1")]) {
        await expect(sent("", { ...attributes, [name]: value })).rejects.toMatchObject({
          code: "bad_header",
          message: expect.stringMatching(new RegExp(`${name} is not printable ASCII`)),
        });
      }
    },
  );

  it.each(["ce-data", "ce-data_base64", "ce-datacontenttype", "ce-__proto__"])(
    "a CloudEvent in binary mode is refused with the header %s",
    async (name) => {
      await expect(sent("", { ...attributes, [name]: "x" })).rejects.toMatchObject({
        code: "bad_header",
        message: expect.stringContaining(name),
      });
    },
  );

  it.each(["ce-id", "ce-source", "ce-type", "ce-myext"])(
    "a request with %s and without ce-specversion is refused, instead of losing the attribute",
    async (name) => {
      const headers = { "content-type": "application/json", [name]: "x" };

      await expect(sent(order("o-1"), headers)).rejects.toMatchObject({
        code: "bad_header",
        message: expect.stringMatching(new RegExp(`${name}.*ce-specversion: 1\\.0`)),
      });
    },
  );

  it("a CloudEvent in binary mode is refused where an attribute is sent twice, instead of joining its values", async () => {
    const { queue } = memoryQueue();
    const headers = { ...attributes, "ce-id": "1, 2" };

    await expect(ingestTo(queue)("", headers, { repeatedHeaders: ["ce-id"] })).rejects.toMatchObject({
      code: "bad_header",
      message: "The header ce-id is there more than once. Send it once.",
    });
  });

  it.each([
    ["is sent twice", "application/json, application/json", ["content-type"], "more than once"],
    ["is no media type", "garbage", [], "no media type"],
  ])("a CloudEvent in binary mode is refused where its content type %s", async (_name, value, repeatedHeaders, why) => {
    const headers = { ...attributes, "content-type": value };

    await expect(ingestTo(memoryQueue().queue)('{"a":1}', headers, { repeatedHeaders })).rejects.toMatchObject({
      code: "bad_header",
      message: expect.stringContaining(why),
    });
  });

  it("a CloudEvent in binary mode is read without the byte order mark of JSON data", async () => {
    const [event] = (await sent('\ufeff{"n":1}', { ...attributes, "content-type": "application/json" })).events;

    expect(event).toMatchObject({ data: { n: 1 } });
  });

  it("a CloudEvent in binary mode keeps a byte order mark in text", async () => {
    const [event] = (await sent("\ufefftext", { ...attributes, "content-type": "text/plain" })).events;

    expect(event).toMatchObject({ data: "\ufefftext" });
  });

  it("a CloudEvent in binary mode keeps data that is gzip itself when the transport has inflated the body", async () => {
    const file = gzipSync("inner");
    const { queue, events } = memoryQueue();
    const headers = { ...attributes, "content-type": "application/gzip", "content-encoding": "gzip" };

    await ingestTo(queue)(file, headers, { inflated: true });

    expect(events()).toMatchObject([{ data_base64: file.toString("base64") }]);
  });

  it("a CloudEvent with ce- headers is read in structured mode where the content type asks for it", async () => {
    const [event] = (await sent(cloudEvent(), { ...attributes, "content-type": "application/cloudevents+json" }))
      .events;

    expect(event).toMatchObject({ id: "c-1" });
  });
});

describe("gzip", () => {
  const json = { "content-type": "application/json" };
  const zipped = { ...json, "content-encoding": "gzip" };

  it("a gzip body is inflated", async () => {
    expect((await sent(gzipSync(JSON.stringify(order("a"))), zipped)).events).toMatchObject([{ id: "a" }]);
  });

  it("a content type may have parameters, quoted or not", async () => {
    for (const contentType of ['application/json; x="a;charset=utf-16"', 'application/json;charset="UTF-8"; q=1']) {
      expect((await sent(order("a"), { "content-type": contentType })).events).toHaveLength(1);
    }
  });

  it("a body may be inflated already while its header is still there, as from REST APIs", async () => {
    expect((await sent(order("a"), zipped)).events).toMatchObject([{ id: "a" }]);
  });

  it.each([
    ["a damaged stream", gzipSync("x").subarray(0, 12), zipped, "malformed_body"],
    ["an encoding it does not know", "x", { ...json, "content-encoding": "br" }, "unsupported_media_type"],
  ])("a request with %s is refused", async (_name, body, headers, code) => {
    await expect(sent(body, headers)).rejects.toMatchObject({ code });
  });

  it("a gzip body is inflated up to the size limit of a body and refused above it", async () => {
    const body = (bytes: number) => gzipSync(JSON.stringify(order("a")).padEnd(bytes, " "));

    expect((await sent(body(REQUEST_MAX_BYTES), zipped)).events).toHaveLength(1);
    await expect(sent(body(REQUEST_MAX_BYTES + 1), zipped)).rejects.toMatchObject({
      code: "body_too_large",
      message: expect.stringContaining("inflated"),
    });
  });

  it("a gzip bomb of 100 MiB is inflated once, and no further than the size limit of a body", async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
    const gunzipSync = spyOnBuiltIn(zlib, "gunzipSync");

    await expect(sent(bomb, zipped)).rejects.toMatchObject({ code: "body_too_large" });

    // zlib stops there: it throws instead of allocating more.
    expect(gunzipSync).toHaveBeenCalledExactlyOnceWith(bomb, { maxOutputLength: REQUEST_MAX_BYTES });
  });
});

describe("a list of events", () => {
  const ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const arbitrary = fc.constantFrom(
    ...ids.map((id) => order(id)),
    ...ids.map((id) => ({ ...order(id), type: 5 })),
    ...ids.map((id) => order(id, { data: { n: 1e300 } })),
  );

  it("a list of events gets the same verdicts however it is split into requests, and whatever the format", async () => {
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
