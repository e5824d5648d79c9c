import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pointerOf } from "../../../console/screens/send/draft.ts";
import { placeOfPointer } from "../../../console/parts/place-of-pointer.ts";

const at = (json: string, pointer: string) => {
  const { start, end } = placeOfPointer(json, pointer);
  return json.slice(start, end);
};

/** Every value in a JSON value, with the keys that lead to it. */
function* valuesIn(value: unknown, path: (string | number)[] = []): Generator<[(string | number)[], unknown]> {
  yield [path, value];
  if (Array.isArray(value)) for (const [index, each] of value.entries()) yield* valuesIn(each, [...path, index]);
  else if (typeof value === "object" && value !== null)
    for (const [name, each] of Object.entries(value)) yield* valuesIn(each, [...path, name]);
}

describe("the place of a JSON Pointer in a text", () => {
  it("each value is found where it is written, whatever its keys and the white space", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 2), (value, indent) => {
        const json = JSON.stringify(value, undefined, indent);
        for (const [path, each] of valuesIn(value)) {
          expect(JSON.parse(at(json, pointerOf(path)))).toEqual(JSON.parse(JSON.stringify(each)));
        }
      }),
    );
  });

  it("a number is found with its digits", () => {
    expect(at('{"data": {"n": 12345678901234567890.10, "m": 1}}', "/data/n")).toBe("12345678901234567890.10");
  });

  it("where the value is missing, the object around it is found", () => {
    const json = '{ "type": "t", "data": {"a": [1, 2]} }';

    expect(at(json, "/data/orderId")).toBe('{"a": [1, 2]}');
    expect(at(json, "/data/a/7/x")).toBe("[1, 2]");
    expect(at(json, "/type/x")).toBe('"t"');
    expect(at(json, "")).toBe(json);
  });

  it("names with slashes, tildes and quotes are no paths", () => {
    const json = String.raw`{"a/b": 1, "c~d": 2, "e\"f": 3}`;

    expect([at(json, "/a~1b"), at(json, "/c~0d"), at(json, '/e"f')]).toEqual(["1", "2", "3"]);
  });
});
