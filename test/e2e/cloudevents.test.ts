import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from "cloudevents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { call, get, keyHeaders } from "../support/http.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
let url: string;
let source: string;
beforeAll(async () => {
  target = await openTarget();
  ({ url, source } = target);
});
afterAll(() => target?.close());

const stored = async (id: string) => {
  const { body } = await eventually(
    () => get(`${url}/events/${id}`),
    ({ status }) => status === 200,
  );
  return body as Record<string, unknown>;
};

function cloudEvent<T>(data: T, overrides: Record<string, unknown> = {}) {
  return new CloudEvent({
    id: randomUUID(),
    source,
    type: "com.example.sdk",
    subject: "50% off",
    time: "2026-11-21T09:30:00.123Z",
    dataschema: "https://example.com/schema",
    datacontenttype: "application/json",
    myextension: "value",
    number: 7,
    flag: true,
    data,
    ...overrides,
  });
}

/** The event that was sent and the event that came back, as plain values. */
const plain = (event: CloudEvent<unknown>) => JSON.parse(JSON.stringify(event)) as Record<string, unknown>;

describe.concurrent("the official CloudEvents SDK", () => {
  it.each([
    ["structured", Mode.STRUCTURED, { nested: { list: [1, "two", null] } }],
    ["structured", Mode.STRUCTURED, "text"],
    ["binary", Mode.BINARY, { nested: { list: [1, "two", null] } }],
    ["binary", Mode.BINARY, [1, 2, 3]],
  ])("sends in %s mode, and what it sent comes back equal", async (_name, mode, data) => {
    const event = cloudEvent(data);

    const answer = (await emitterFor(httpTransport(`${url}/events`), { mode })(event, {
      headers: keyHeaders(url),
    })) as { body: string };

    expect(JSON.parse(answer.body)).toMatchObject({ accepted: 1 });
    const sent = plain(event);
    // Headers have no types: in binary mode an extension arrives as text.
    const expected =
      mode === Mode.BINARY
        ? { ...sent, number: "7", flag: "true", datacontenttype: expect.stringContaining("application/json") as string }
        : sent;
    expect(await stored(event.id)).toMatchObject(expected);
  });

  it.each([
    ["text/plain", "größe 😀"],
    ["application/xml", "<a/>"],
  ])("sends %s in binary mode", async (datacontenttype, text) => {
    const event = cloudEvent(text, { datacontenttype });
    const { headers, body } = HTTP.binary(event);

    const answer = await call(`${url}/events`, {
      method: "POST",
      headers: headers as Record<string, string>,
      body: body as string,
    });

    expect(answer.status).toBe(202);
    const { data, data_base64 } = await stored(event.id);
    expect(data ?? Buffer.from(String(data_base64), "base64").toString()).toBe(text);
  });

  it("sends binary data in both modes", async () => {
    const bytes = new Uint8Array([0, 1, 254, 255]);
    for (const encode of [HTTP.structured, HTTP.binary]) {
      const event = cloudEvent(bytes, { datacontenttype: "application/octet-stream" });
      const { headers, body } = encode(event);

      await call(`${url}/events`, {
        method: "POST",
        headers: headers as Record<string, string>,
        body: body as string,
      });

      expect(await stored(event.id)).toMatchObject({
        data_base64: "AAH+/w==",
        datacontenttype: "application/octet-stream",
      });
    }
  });

  it("reads what comes back as an event of its own", async () => {
    const event = cloudEvent({ n: 1 });
    await emitterFor(httpTransport(`${url}/events`), { mode: Mode.STRUCTURED })(event, { headers: keyHeaders(url) });
    const { text, headers } = await eventually(
      () => get(`${url}/events/${event.id}`),
      ({ status }) => status === 200,
    );

    const read = HTTP.toEvent({
      headers: { "content-type": headers.get("content-type") ?? "" },
      body: text,
    }) as CloudEvent<unknown>;

    expect(plain(read)).toMatchObject(plain(event));
  });
});

describe("an event that was read", () => {
  it("is a valid CloudEvent for the official SDK and can be sent again without a change", async () => {
    const event = cloudEvent({ n: 1 });
    await emitterFor(httpTransport(`${url}/events`), { mode: Mode.STRUCTURED })(event, { headers: keyHeaders(url) });
    const read = await stored(event.id);

    expect(new CloudEvent(read).validate()).toBe(true);
    const answer = await call(`${url}/events`, {
      method: "POST",
      headers: { "content-type": "application/cloudevents+json" },
      body: JSON.stringify(read),
    });

    expect(answer.status).toBe(202);
    expect(await stored(event.id)).toEqual(read);
  });
});

describe("a batch by the specification", () => {
  it("is stored event by event, gzipped or not", async () => {
    for (const zip of [false, true]) {
      const events = [cloudEvent(1), cloudEvent(null), cloudEvent("three")];
      const text = JSON.stringify(events);

      const answer = await call(`${url}/events`, {
        method: "POST",
        headers: { "content-type": "application/cloudevents-batch+json", ...(zip && { "content-encoding": "gzip" }) },
        body: zip ? gzipSync(text) : text,
      });

      expect(await answer.json()).toMatchObject({ accepted: 3 });
      for (const event of events) expect(await stored(event.id)).toMatchObject(plain(event));
    }
  });
});

describe("NDJSON", () => {
  it("is stored line by line, gzipped or not", async () => {
    for (const zip of [false, true]) {
      const events = Array.from({ length: 5 }, () => ({
        id: randomUUID(),
        source,
        type: "t",
        data: { zip },
      }));
      const text = events.map((event) => JSON.stringify(event)).join("\n");

      const answer = await call(`${url}/events`, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson", ...(zip && { "content-encoding": "gzip" }) },
        body: zip ? gzipSync(text) : text,
      });

      expect(answer.status).toBe(202);
      for (const event of events) expect(await stored(event.id)).toMatchObject(event);
    }
  });
});

describe("?validate=only", () => {
  it("answers the verdicts and enqueues nothing", async () => {
    const [checked, after] = [randomUUID(), randomUUID()];
    const send = (id: string, query: string) =>
      call(`${url}/events${query}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ id, source, type: "t", data: 1 }),
      });

    expect(await (await send(checked, "?validate=only")).json()).toMatchObject({ accepted: 1 });
    await send(after, "");
    await stored(after);

    expect((await get(`${url}/events/${checked}`)).status).toBe(404);
    expect((await send(checked, "?validate=yes")).status).toBe(400);
  });
});
