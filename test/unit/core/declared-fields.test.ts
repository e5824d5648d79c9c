import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPointer, writePointer } from "../../../functions/core/data-path.ts";
import { toDeclaredFields } from "../../../functions/core/declared-fields.ts";
import { toTimeZone } from "../../../functions/core/time-zone.ts";

describe("the declared fields of a catalog", () => {
  it("the declared fields of a type are those of all its versions, each once", () => {
    const { measures, indexed } = toDeclaredFields([
      { type: "a", measures: ["/v", "/x~1y/0"] },
      { type: "a", measures: ["/v", "/w"] },
      { type: "b", measures: ["/v"], indexed: ["/w"] },
      { type: "c" },
    ]);

    expect(measures.map(({ type, pointer, path }) => [type, pointer, path])).toEqual([
      ["a", "/v", ["v"]],
      ["a", "/x~1y/0", ["x/y", "0"]],
      ["a", "/w", ["w"]],
      ["b", "/v", ["v"]],
    ]);
    expect(indexed).toEqual([{ type: "b", pointer: "/w", path: ["w"] }]);
  });
});

describe("a pointer into data", () => {
  it("a pointer into data is read as the keys that it was written of", () => {
    const key = fc.string({ unit: "binary", maxLength: 12 }).filter((text) => !/\0|^\s*[+-]?\d+$/.test(text));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 8 }), (path) => {
        expect(readPointer(writePointer(path))).toEqual(path);
      }),
    );
  });

  it.each([
    ["/0", ["0"]],
    ["/10/a", ["10", "a"]],
    ["/~01", ["~1"]],
    ["/", [""]],
    ["", []],
    ["a", undefined],
    ["/a~", undefined],
    ["/a~2", undefined],
    ["/\ud800", undefined],
    ["/\0", undefined],
    ["/-1", undefined],
    ["/+1", undefined],
    ["/01", undefined],
    ["/ 1", undefined],
    [`/${"x".repeat(512)}`, undefined],
    ["/a".repeat(9), undefined],
  ])("the pointer %j has the keys %j", (text, path) => {
    expect(readPointer(text)).toEqual(path);
  });
});

describe("a time zone", () => {
  it.each([
    ["Europe/Berlin", "Europe/Berlin"],
    ["UTC", "UTC"],
    ["America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"],
    ["Etc/GMT+5", "Etc/GMT+5"],
    ["CET", "Europe/Brussels"],
    ["", undefined],
    ["Europe", undefined],
    ["+01:00", undefined],
    ["XYZ5", undefined],
    ["Europe/Berlin'", undefined],
  ])("the time zone %j is %j in the database", (text, zone) => {
    expect(toTimeZone(text)).toBe(zone);
  });
});
