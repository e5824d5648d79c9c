import { describe, expect, it } from "vitest";
import { readMessageAtRest } from "../../faults/checker/at-rest.ts";
import { fingerprint } from "../../faults/checker/fingerprint.ts";

describe("readMessageAtRest", () => {
  it("readMessageAtRest finds the key of every event in an envelope", () => {
    const events = ["1", "2"].map((id) => ({ id, source: "/shop", type: "t", data: { id: "inner" } }));

    expect(readMessageAtRest(JSON.stringify({ version: 1, tenant: "acme", events }))).toEqual({
      keys: [
        { tenant: "acme", source: "/shop", id: "1" },
        { tenant: "acme", source: "/shop", id: "2" },
      ],
    });
  });

  it("readMessageAtRest finds the readable keys in a broken envelope", () => {
    const events = [null, 7, { id: "1" }, { id: 1, source: "/shop" }, { id: "2", source: "/shop" }];

    expect(readMessageAtRest(JSON.stringify({ tenant: "acme", events })).keys.map(({ id }) => id)).toEqual(["2"]);
    for (const body of ["", "{", "null", "[]", "{}", '{"tenant":"acme"}', '{"events":[{"id":"1","source":"/"}]}']) {
      expect(readMessageAtRest(body), body).toEqual({ keys: [] });
    }
  });
});

describe("fingerprint", () => {
  it("a fingerprint is equal for equal values in any order of their members, and for no others", () => {
    const same = [
      { b: [1, { d: 1, c: null }], a: "x" },
      { a: "x", b: [1, { c: null, d: 1 }] },
    ];
    const others = [{ a: "x", b: [{ c: null, d: 1 }, 1] }, { a: "x" }, { a: "y" }, [], {}, null, "null", 0, "0"];

    expect(new Set(same.map(fingerprint)).size).toBe(1);
    expect(new Set([...same, ...others].map(fingerprint)).size).toBe(others.length + 1);
  });
});
