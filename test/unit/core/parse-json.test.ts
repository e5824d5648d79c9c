import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLossless } from "../../../functions/core/lossless-json.ts";
import { parseJson } from "../../../functions/core/parse-json.ts";

/** Makes V8 remember keys that end in a backslash, as an event of another tenant may. */
function meetBackslashKeys(first: string): void {
  for (const key of ["\\", "a\\", "ab\\", "\\\\"]) JSON.parse(JSON.stringify({ [first]: 0, [key]: 1 }));
}

describe("parseJson", () => {
  it.each([
    String.raw`{"q":0,"\n":2}`,
    String.raw`{"q":0,"\"":2}`,
    String.raw`{"q":0,"\u0062":2}`,
    String.raw`{"q":0,"ab\t" : {"q":0,"\\":[{"q":0,"\n":1}]}}`,
    String.raw`{"q":0,"a\\\n":2}`,
  ])("reads %s with its own keys, after an object whose key ends in a backslash", (text) => {
    meetBackslashKeys("q");

    const found: string[] = [];
    const keysOf = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [key, member] of Object.entries(value)) {
        if (!Array.isArray(value)) found.push(key);
        keysOf(member);
      }
    };
    keysOf(parseJson(text));

    // A string that is no key is read right.
    const keys = [...text.matchAll(/("(?:[^"\\]|\\.)*")\s*:/g)].map(([, key = ""]) => JSON.parse(key) as string);
    expect(found).toEqual(keys);
  });

  it("reads any value as it was written, members in their order", () => {
    const key = fc.string({ unit: fc.constantFrom("\\", "\n", '"', "a", "b", "\t", "\u0001", "1", "ä"), maxLength: 6 });
    const value = fc.jsonValue({ maxDepth: 1 });
    const object = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        value,
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(key, tie("node"), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(fc.dictionary(key, object, { maxKeys: 6 }), fc.constantFrom(0, 2), (members, indent) => {
        const text = JSON.stringify({ q: 0, ...members }, undefined, indent);
        meetBackslashKeys("q");
        const parsed = parseJson(text);
        expect(JSON.stringify(parsed, undefined, indent)).toBe(text);
        const { lossless } = parseLossless(text);
        expect(JSON.stringify(lossless, undefined, indent)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the last of two members with one key, in the place of the first, however each is written", () => {
    expect(JSON.stringify(parseJson(String.raw`{"a":1,"b":2,"\u0061":3}`))).toBe('{"a":3,"b":2}');
    expect(JSON.stringify(parseJson(String.raw`{"\u0061":1,"b":2,"a":3}`))).toBe('{"a":3,"b":2}');
  });

  it("makes an own member of `__proto__`, with an escape or without", () => {
    for (const text of [String.raw`{"\u005f_proto__":{"x":1}}`, String.raw`{"__proto__":{"x":1},"\n":1}`]) {
      const parsed = parseJson(text) as object;
      expect(Object.hasOwn(parsed, "__proto__")).toBe(true);
      expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    }
  });

  it("keeps the digits of numbers beside a key with an escape", () => {
    expect(JSON.stringify(parseLossless(String.raw`{"\n":12345678901234567890,"b":[1.00]}`).lossless)).toBe(
      String.raw`{"\n":12345678901234567890,"b":[1]}`,
    );
  });

  it("fails as JSON.parse does, with the place in the text that was given", () => {
    for (const text of [String.raw`{"\n":}`, '{"a\\', '{"a":1,}', ""]) {
      let expected: unknown;
      try {
        JSON.parse(text);
      } catch (error) {
        expected = error;
      }
      expect(() => parseJson(text), text).toThrow(expected);
    }
  });

  it("takes a time that grows with the text, also where the only escape is at its end", () => {
    const text = JSON.stringify([...Array.from({ length: 200_000 }, () => "text"), { "\\": 1 }]);

    const started = process.cpuUsage();
    parseJson(text);
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(5_000);
  });
});
