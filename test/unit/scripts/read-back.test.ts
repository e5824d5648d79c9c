import { describe, expect, it } from "vitest";
import { compare } from "../../../scripts/send/read-back.ts";

describe("reading an event back", () => {
  it("names the members that came back with another value", () => {
    expect(compare(3, { id: "1", data: { n: 1 } }, { id: "1", data: { n: 2 } })).toEqual({
      line: 3,
      isEqual: false,
      why: "came back with another data",
    });
  });

  it("does not compare the attributes that Sluice adds, which an event that was read has already", () => {
    const sent = { id: "1", data: 1, tenant: "default", receivedat: "2026-11-21T09:30:00.000Z" };

    expect(compare(1, sent, { ...sent, receivedat: "2026-11-29T09:30:00.000Z" })).toMatchObject({ isEqual: true });
  });
});
