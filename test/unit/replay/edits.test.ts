import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event } from "../../../functions/core/event.ts";
import { stringifyForQueue } from "../../../functions/core/sqs-text.ts";
import type { DeadLetterMessage } from "../../../functions/replay/dead-letter-message.ts";
import { parseEdits } from "../../../functions/replay/edits.ts";
import { toEventLine } from "../../../functions/replay/event-line.ts";
import { messageOf, readMessage } from "./support.ts";

const FILE = "edits.ndjson";
const parse = (...lines: string[]) => parseEdits(lines.join("\n"), FILE);
const lineOf = (message: DeadLetterMessage) => toEventLine(message, message.events[0] ?? fail());
const fail = (): never => {
  throw new Error("no such event");
};

describe("an event line", () => {
  it("is parsed as the event of the message, verbatim and with every digit", () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,64}$/).filter((each) => each !== "tenant" && !TAKEN.has(each));
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((each) => !each.includes("\0"));
    const event = fc.record(
      {
        id: text.filter((each) => each !== "." && each !== ".."),
        source: text,
        type: text,
        subject: text,
        time: fc.constant("2026-11-20T10:00:00.123456789+01:00"),
        extensions: fc.dictionary(name, fc.oneof(text, fc.boolean(), fc.integer({ min: -5, max: 2 ** 31 - 1 })), {
          minKeys: 1,
        }),
        data: fc.jsonValue({ maxDepth: 3 }).filter((each) => !/\\u0000|__proto__/.test(JSON.stringify(each))),
      },
      { requiredKeys: ["id", "source", "type", "time"] },
    );
    fc.assert(
      fc.property(event, fc.bigInt({ min: 2n ** 64n, max: 2n ** 90n }), (sent, digits) => {
        const json = stringifyForQueue({ ...sent, subject: sent.subject ?? "digits" }).replace(
          '"digits"',
          `"${digits}"`,
        );
        const body = `{"version":1,"tenant":"acme","receivedAt":"2026-11-20T10:00:00Z","events":[${json.slice(0, -1)},"datacontenttype":"x"${"data" in sent ? "" : `,"data":{"n":${digits}.50}`}}]}`;
        const message = readMessage(body);
        const [enveloped] = message.events;
        if (enveloped === undefined) throw new Error("unreadable");

        const edits = parse(toEventLine(message, enveloped));

        expect(sorted(edits.find(message, enveloped))).toBe(sorted(enveloped.content));
        expect(edits.unused()).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it("is found for the message of its tenant, and for any message when it names no tenant", () => {
    const line = lineOf(messageOf([1]));
    const bare = line.replace(/,"deadLetter".*/, "}");
    const others = messageOf([1], { tenant: "other" });

    expect(parse(line).find(others, others.events[0] ?? fail())).toBeUndefined();
    expect(parse(bare).find(others, others.events[0] ?? fail())).toMatchObject({ id: "a" });
  });

  it("may occur twice in a file if both have the same content", () => {
    const line = lineOf(messageOf([1]));

    expect(parse(line, line).unused()).toHaveLength(1);
    expect(() => parse(line, line.replace('"data":1', '"data":2'))).toThrow(
      /:2 has another content for the event a than line 1/,
    );
  });
});

describe("a bad line", () => {
  it.each([
    ["no JSON", "{", "is not JSON"],
    ["a list", "[]", "is not a JSON object"],
    ["a bare number", "12345678901234567890", "is not a JSON object"],
    ["no time", '{"id":"a","source":"/s","type":"t"}', "/time "],
    ["another specversion", '{"specversion":"0.3","id":"a","source":"/s","type":"t"}', "/specversion "],
    [
      "an id that no URL can name",
      '{"id":"..","source":"/s","type":"t","time":"2026-11-20T10:00:00Z"}',
      "/id must not be",
    ],
    ["data twice", '{"id":"a","source":"/s","type":"t","data":1,"data_base64":"AA=="}', "/data_base64 has data and"],
    [
      "an extension that is too large",
      '{"id":"a","source":"/s","type":"t","time":"2026-11-20T10:00:00Z","n":2147483648}',
      "/n Too big",
    ],
    ["half a character", '{"id":"a","source":"/s","type":"t","data":"\\ud800"}', "/data contains half"],
    [
      "too many levels",
      `{"id":"a","source":"/s","type":"t","data":${"[".repeat(70)}${"]".repeat(70)}}`,
      "deeper than 64",
    ],
  ])("is named with its file and number: %s", (_, line, why) => {
    expect(() => parse("", line)).toThrow(`${FILE}:2 `);
    expect(() => parse("", line)).toThrow(why);
  });

  it("is listed with at most nineteen others", () => {
    expect(() => parse(...Array.from({ length: 25 }, () => "{"))).toThrow(
      /:20 is not JSON[^]*\nand 5 more\nNothing was replayed\.$/,
    );
  });
});

const TAKEN = new Set([
  "id",
  "source",
  "type",
  "subject",
  "time",
  "dataschema",
  "datacontenttype",
  "data",
  "specversion",
]);

/** JSON with its members in one order; numbers keep their text. */
function sorted(value: Event | Record<string, unknown> | undefined): string {
  return JSON.stringify(
    value === undefined
      ? undefined
      : Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
}
