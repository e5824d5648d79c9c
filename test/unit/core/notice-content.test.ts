import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memberTexts } from "../../../functions/core/json-spans.ts";
import { binaryContent, structuredContent } from "../../../functions/core/notice-content.ts";
import { decodeBinaryMode } from "../../../functions/ingest/protocols/events/binary-mode.ts";
import { parseMediaType } from "../../../functions/ingest/protocols/media-type.ts";
import { deliveryOf, eventText, EXACT } from "../../support/notices.ts";

const EVENTS = [eventText({ id: "1" }), eventText({ id: "2" })];
const deliveries = EVENTS.map((event) => deliveryOf(event));

describe("the content of a notice", () => {
  it("is in structured mode the event, byte for byte", () => {
    const [delivery] = deliveries;
    const { headers, body } = structuredContent({ deliveries: delivery ? [delivery] : [], isBatch: false });

    expect(headers).toEqual({ "content-type": "application/cloudevents+json" });
    expect(body).toBe(EVENTS[0]);
  });

  it.each([1, 2])("is in batches an array of %i events, byte for byte", (count) => {
    const { headers, body } = structuredContent({ deliveries: deliveries.slice(0, count), isBatch: true });

    expect(headers).toEqual({ "content-type": "application/cloudevents-batch+json" });
    expect(body).toBe(`[${EVENTS.slice(0, count).join(",")}]`);
  });
});

/** Reads binary mode as ingest does. */
function decoded(event: string): Record<string, unknown> {
  const { headers, body } = binaryContent(event);
  const bytes = Buffer.from(body);
  const [candidate] = decodeBinaryMode(
    { headers, repeatedHeaders: [] },
    parseMediaType(headers["content-type"]),
    bytes,
    () => bytes.toString("utf8"),
  );
  return candidate?.kind === "event" ? (candidate.value as Record<string, unknown>) : {};
}

describe("the content of a notice in binary mode", () => {
  it("has attributes as headers, and data with every digit", () => {
    const { headers, body } = binaryContent(eventText({ subject: 'Grüße "50 %"', n: 7, flag: true }));

    expect(headers).toEqual({
      "ce-specversion": "1.0",
      "ce-id": "order-1",
      "ce-source": "/shop",
      "ce-type": "com.example.order",
      "ce-subject": "Gr%C3%BC%C3%9Fe%20%2250%20%25%22",
      "ce-time": "2026-11-21T09:30:00Z",
      "ce-tenant": "acme",
      "ce-n": "7",
      "ce-flag": "true",
      "content-type": "application/json",
    });
    expect(body).toContain(`"total": ${EXACT}`);
  });

  it("comes back through ingest as it was, whatever characters its attributes have", () => {
    const text = fc.string({ unit: "binary", minLength: 1 }).map((value) => value.toWellFormed());
    fc.assert(
      fc.property(text, text, text, fc.jsonValue(), (id, source, subject, data) => {
        const event = { specversion: "1.0", id, source, type: "t", subject, datacontenttype: "application/json", data };

        expect(decoded(JSON.stringify(event))).toEqual(JSON.parse(JSON.stringify(event)));
      }),
    );
  });

  it.each([
    ["text/plain", '"a\\"b\\u0041"', 'a"bA'],
    ["text/plain", '{"a": 1.0}', '{"a": 1.0}'],
    ["application/json", '"text"', '"text"'],
    ["application/vnd.a+json; charset=utf-8", '"text"', '"text"'],
    ["application/json", "1.10", "1.10"],
    ["application/json", "null", "null"],
  ])("sends of type %s the data %s as %s", (datacontenttype, data, body) => {
    const event = `{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"${datacontenttype}","data":${data}}`;

    expect(binaryContent(event)).toMatchObject({ headers: { "content-type": datacontenttype }, body });
  });

  it("sends bytes as bytes, JSON without a type as JSON, and no data as no body", () => {
    const attributes = '"specversion":"1.0","id":"1","source":"/s","type":"t"';

    expect(binaryContent(`{${attributes},"data_base64":"/wA="}`)).toMatchObject({ body: Buffer.from([0xff, 0]) });
    expect(binaryContent(`{${attributes},"data":[1]}`)).toMatchObject({
      headers: { "content-type": "application/json" },
      body: "[1]",
    });
    const empty = binaryContent(`{${attributes}}`);
    expect(empty.body).toBe("");
    expect(empty.headers).not.toHaveProperty("content-type");
  });

  it("has headers of printable ASCII alone, so that no attribute begins another header", () => {
    const event = eventText({ subject: "x\r\nwebhook-id: forged", datacontenttype: "a/b\r\nx: y" });

    for (const value of Object.values(binaryContent(event).headers)) expect(value).toMatch(/^[ -~]*$/);
  });
});

describe("the members of a JSON object", () => {
  it("are found as they are written, whatever is in them", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
        fc.constantFrom(0, 1, 2),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          const found = [...memberTexts(text)].map(([name, member]) => [name, JSON.parse(member) as unknown]);

          expect(new Map(found as [string, unknown][])).toEqual(
            new Map(Object.entries(JSON.parse(text) as Record<string, unknown>)),
          );
        },
      ),
    );
  });

  it("keep digits, escapes and spaces", () => {
    expect([...memberTexts(' { "a" : 1.00 , "b\\"": {"x": [1, 2]} , "c":"}" } ')]).toEqual([
      ["a", "1.00"],
      ['b"', '{"x": [1, 2]}'],
      ["c", '"}"'],
    ]);
    expect([...memberTexts("{}")]).toEqual([]);
  });
});
