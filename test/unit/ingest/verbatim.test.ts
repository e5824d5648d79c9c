import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { envelope } from "../../../functions/core/envelope-schema.ts";
import { EVENT_MAX_BYTES, EVENT_MAX_DEPTH } from "../../../functions/core/limits.ts";
import { MESSAGE_MAX_BYTES } from "../../../functions/core/queue-limits.ts";
import type { EventType } from "../../../functions/core/catalog.ts";
import { catalog as catalogTypes } from "./catalog.ts";
import { ingestTo, memoryQueue, NOW, order } from "./support.ts";

/** The verdicts, the message bodies, and the events as the consumer reads them. */
async function ingestText(body: string, contentType: string, overrides: Parameters<typeof ingestTo>[1] = {}) {
  const { queue, enqueued } = memoryQueue();
  const { results } = await ingestTo(queue, overrides)(body, { "content-type": contentType });
  const bodies = enqueued.map((message) => message.body);
  return { results, bodies, read: bodies.flatMap((each) => envelope().parse(JSON.parse(each)).events) };
}

/** The same JSON value in a text that is not verbatim-safe: a key begins with an escaped character. */
const disguise = (text: string) => text.replaceAll('"data"', '"\\u0064ata"');

const complete = (id: string, overrides: Record<string, unknown> = {}) => order(id, { time: NOW, ...overrides });

describe("the verbatim path", () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const names = "id source type time subject dataschema datacontenttype specversion ext Bad data_base64".split(" ");
  const member = fc.oneof(
    fc.string({ maxLength: 5 }),
    fc.constantFrom(undefined, null, 7, true, "", NOW, "1.0", "x".repeat(2_049)),
  );
  const changes = fc.array(fc.tuple(fc.constantFrom(...names), member), { maxLength: 2 });
  const base = fc.oneof(
    fc.integer({ min: 0, max: 9 }).map((n) => complete(`e-${n}`)),
    fc.record({ id: fc.string({ maxLength: 3 }), data: value }).map((each) => complete("", { type: "t", ...each })),
    fc.integer().map((n) => ({ specversion: "1.0", id: `c-${n}`, source: "/c", type: "t", time: NOW, data: n })),
  );
  const event = fc.tuple(base, changes).map(([each, changes]) => ({ ...each, ...Object.fromEntries(changes) }));

  it.each(["application/json", "application/x-ndjson", "application/cloudevents-batch+json"])(
    "gives the same verdicts and events as the path that writes each event again, in %s",
    async (contentType) => {
      await fc.assert(
        fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 3 }), async (events) => {
          const texts = events.map((each) => JSON.stringify(each));
          const body = contentType.endsWith("ndjson") ? texts.join("\n") : `[${texts.join(",")}]`;

          const verbatim = await ingestText(body, contentType);
          const rewritten = await ingestText(disguise(body), contentType);

          expect(verbatim.results).toEqual(rewritten.results);
          expect(verbatim.read).toEqual(rewritten.read);
        }),
        { numRuns: 400 },
      );
    },
  );

  /** An event's text that writing it again would change. */
  const odd = (id: string) => `{"data": 1.50, "type":"t" ,"source":"\\/s","id":"${id}","time":"${NOW}"}`;

  it("puts the texts of a list into the message byte for byte", async () => {
    const { bodies } = await ingestText(` [ ${odd("1")} , ${odd("2")}]\n`, "application/json");

    expect(bodies[0]).toContain(`"events":[${odd("1")},${odd("2")}]}`);
  });

  it.each([
    ["an event that lacks a time", odd("2").replace(`,"time":"${NOW}"`, "")],
    ["an event with an extension attribute", odd("2").replace("{", '{"ext":"x",')],
    ["an invalid event", "7"],
    ["a second copy", odd("1")],
  ])("is taken for an event beside %s, and not for that one", async (_name, other) => {
    const { bodies, read } = await ingestText(`[${odd("1")},${other}]`, "application/json");

    expect(bodies.join("\n").split(odd("1"))).toHaveLength(2);
    expect(bodies.join("\n")).not.toContain(`,${other}`);
    expect(read.every(({ time }) => time === NOW)).toBe(true);
  });

  it("is taken in each of the messages that the retention classes of a list need", async () => {
    const short = { ...catalogTypes.get("com.example.order.placed")?.[0], retention: "7d" } as EventType;
    const catalog = new Map([...catalogTypes, [short.type, [short]]]);
    const placed = JSON.stringify(complete("2")).replace(",", " , ");

    const { bodies } = await ingestText(`[${odd("1")},${placed},${odd("3")}]`, "application/json", { catalog });

    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toContain(`"events":[${odd("1")},${odd("3")}]}`);
    expect(bodies[1]).toContain(`"events":[${placed}]}`);
  });

  it.each([
    ["a list", (text: string) => `[${text}]`],
    ["one", (text: string) => text],
  ])("is not taken where writing the event again shortens it: %s", async (_name, wrap) => {
    const loose = JSON.stringify(complete("1"), null, 2);
    const padded = JSON.stringify(complete("1")).replace("{", `{${" ".repeat(MESSAGE_MAX_BYTES)}`);

    const escaped = JSON.stringify(complete("1")).replace("/shop", "/\\u0448\\u043e\\u043f");

    for (const text of [loose, padded, escaped]) {
      const { results, bodies } = await ingestText(wrap(text), "application/json");
      expect(results[0]?.status).toBe("accepted");
      expect(bodies[0]).toContain(JSON.stringify(complete("1").data));
      expect(bodies[0]?.length).toBeLessThan(1_000);
      expect(bodies[0]).not.toContain("\\u");
    }
  });

  it.each([
    ["too deep", `{"deep":${"[".repeat(EVENT_MAX_DEPTH - 1)}${"]".repeat(EVENT_MAX_DEPTH - 1)}}`, "too_deep"],
    ["too large", `{"pad":"${"x".repeat(EVENT_MAX_BYTES)}"}`, "event_too_large"],
    ["U+0000", '"\\u0000"', "unstorable_text"],
    ["__proto__", '{"__proto__":1}', "unstorable_key"],
    ["a number of too many digits", "1e1100", "number_out_of_range"],
    ["a zero of too many digits", "0e-1100", "number_out_of_range"],
    ["many numbers that are long when written out", `[${"1e99,".repeat(2_700)}0]`, "event_too_large"],
  ])("never lets through a value that cannot be stored: %s", async (_name, data, code) => {
    const text = JSON.stringify(complete("1", { type: "t", data: "DATA" })).replace('"DATA"', data);

    for (const body of [text, `[${text}]`]) {
      expect((await ingestText(body, "application/json")).results).toMatchObject([
        { status: "invalid", errors: [{ code }] },
      ]);
    }
  });
});
