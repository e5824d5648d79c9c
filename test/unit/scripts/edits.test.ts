import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Event } from "../../../functions/core/event.ts";
import { stringifyForQueue } from "../../../functions/core/sqs-text.ts";
import { readEdits } from "../../../scripts/dead-letters/edits.ts";
import { toEventLine } from "../../../scripts/dead-letters/event-line.ts";
import { type DeadLetter, toDeadLetter } from "../../../scripts/dead-letters/dead-letter.ts";
import { letterOf, message } from "./support.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-edits-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(...lines: string[]) {
  const file = join(folder, "edits.ndjson");
  writeFileSync(file, lines.join("\n"));
  return { file, edits: readEdits(file) };
}
const lineOf = (letter: DeadLetter, index = 0) => toEventLine(letter, letter.events[index] ?? fail());
const fail = (): never => {
  throw new Error("no such event");
};

describe("an event line", () => {
  it("is read back as the event that travelled, letter for letter and digit for digit", () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,20}$/).filter((each) => each !== "tenant" && !TAKEN.has(each));
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
        const letter = toDeadLetter(message(body));
        const [travelled] = letter.events;
        if (travelled === undefined) throw new Error("unreadable");

        const { edits } = read(toEventLine(letter, travelled));

        expect(sorted(edits.find(letter, travelled))).toBe(sorted(travelled.exact));
        expect(edits.unused()).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it("is taken by the letter of its tenant, and by any where it names none", () => {
    const line = lineOf(letterOf([1]));
    const bare = line.replace(/,"deadLetter".*/, "}");
    const others = letterOf([1], { tenant: "other" });

    expect(read(line).edits.find(others, others.events[0] ?? fail())).toBeUndefined();
    expect(read(bare).edits.find(others, others.events[0] ?? fail())).toMatchObject({ id: "a" });
  });

  it("may stand twice in a file if it says the same", () => {
    const line = lineOf(letterOf([1]));

    expect(read(line, line).edits.unused()).toHaveLength(1);
    expect(() => read(line, line.replace('"data":1', '"data":2'))).toThrow(/:2 says of the event a other than line 1/);
  });
});

describe("a bad line", () => {
  it.each([
    ["no JSON", "{", "is not JSON"],
    ["a list", "[]", "is no JSON object"],
    ["a number of its own", "12345678901234567890", "is no JSON object"],
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
  ])("with %s is named with its file and number", (_, line, why) => {
    const file = join(folder, "edits.ndjson");
    expect(() => read("", line)).toThrow(`${file}:2 `);
    expect(() => read("", line)).toThrow(why);
  });

  it("is told with nineteen others at most", () => {
    expect(() => read(...Array.from({ length: 25 }, () => "{"))).toThrow(
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
