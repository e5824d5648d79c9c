import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementsOf, indent, kindOf, partsOf, stringOf } from "../../../console/parts/json-parts.ts";

describe("the parts of JSON", () => {
  it("are the values as they are written, so that numbers keep their digits", () => {
    expect(partsOf('{"a": 12345678901234567890, "b" :1.0,"c":[1e400, -0]}')).toEqual([
      { key: "a", text: "12345678901234567890" },
      { key: "b", text: "1.0" },
      { key: "c", text: "[1e400, -0]" },
    ]);
  });

  it("keep the order of members that are named by numbers, and those with one name", () => {
    expect(partsOf('{"10":1,"2":2,"2":3}').map(({ key }) => key)).toEqual(["10", "2", "2"]);
  });

  it("read keys with escapes, also after one that ends in a backslash", () => {
    partsOf(String.raw`{"a":1,"\\":2}`);

    expect(partsOf(String.raw`{"a":1,"\n":2}`).map(({ key }) => key)).toEqual(["a", "\n"]);
  });

  it("are those that a parser finds", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const json = text.trim();
        const value: unknown = JSON.parse(json);
        const rebuilt = (part: string): unknown => {
          const kind = kindOf(part);
          if (kind === "array") return elementsOf(part).map(rebuilt);
          if (kind !== "object") return JSON.parse(part);
          const members = {};
          for (const { key, text: member } of partsOf(part)) {
            Object.defineProperty(members, key, { value: rebuilt(member), enumerable: true, configurable: true });
          }
          return members;
        };

        expect(JSON.stringify(rebuilt(json))).toBe(JSON.stringify(value));
      }),
    );
  });

  it("are indented without a change of their values", () => {
    const json = '{"n":1.0,"list":[1e2,{}],"text":"a\\u0000b"}';

    expect(indent(json)).toBe('{\n  "n": 1.0,\n  "list": [\n    1e2,\n    {}\n  ],\n  "text": "a\\u0000b"\n}');
    expect(JSON.parse(indent(json))).toEqual(JSON.parse(json));
  });

  it("are read from a string with its escapes", () => {
    expect(stringOf(String.raw`"a\"bé"`)).toBe('a"bé');
  });
});
