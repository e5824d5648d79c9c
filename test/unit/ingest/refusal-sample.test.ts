import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REFUSAL_MEMBERS, REFUSAL_TEXT_MAX_CHARACTERS } from "../../../functions/core/refusal-limits.ts";
import { describeEvent, shownText } from "../../../functions/ingest/refusal-sample.ts";

describe("the sample of a refused event", () => {
  it("has the event's id and source, and the members around the error with type and length in place of their values", () => {
    const event = {
      id: "e-1",
      source: "/shop",
      type: "t",
      data: { orderID: "abc", total: 5, items: [1, 2], paid: true, note: null, buyer: { name: "Jane" } },
    };

    expect(describeEvent(event, "/data/orderId")).toEqual({
      id: "e-1",
      source: "/shop",
      members: {
        orderID: "string(3)",
        total: "number",
        items: "array(2)",
        paid: "boolean",
        note: "null",
        buyer: "object(1)",
      },
    });
  });

  it.each([
    ["/data/items/1/sku", { name: "string(1)" }],
    ["/data/items/1", { name: "string(1)" }],
    ["/data/items/7/sku", { items: "array(2)" }],
    ["/data/none/below", { items: "array(2)" }],
    ["/data/items", { items: "array(2)" }],
    ["/type", { id: "number", data: "object(1)" }],
    ["", { id: "number", data: "object(1)" }],
  ])("has the members of the innermost object on the way to %j", (pointer, members) => {
    const event = { id: 7, data: { items: [{}, { name: "a" }] } };

    expect(describeEvent(event, pointer).members).toEqual(members);
  });

  it.each([7, null, "text", [], undefined])("is empty for %j, which is no event", (event) => {
    expect(describeEvent(event, "/data")).toEqual({});
  });

  it("shows a name of the producer cut and without secrets, and nothing that is no text", () => {
    const key = `sluice_${"a".repeat(50)}`;

    expect(shownText("a".repeat(1_000_000))).toBe("a".repeat(REFUSAL_TEXT_MAX_CHARACTERS));
    expect(shownText(`agent ${key}`)).toBe("agent [redacted]");
    expect(shownText(`${"a".repeat(100)} ${key}`)).not.toContain("sluice_");
    expect(shownText("https://jane:secret@shop.example/")).not.toContain("secret");
    expect(shownText(7)).toBeUndefined();
    expect(shownText("")).toBeUndefined();
  });

  it("has no value of the data, and few members with short names, whatever was sent", () => {
    // Texts of the data end in a mark, so that a sample with a part of one is found.
    const value = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => `${text}§§`),
      fc.integer({ min: 1_000_000 }),
      fc.double({ min: 1e6, noNaN: true, noDefaultInfinity: true }),
    );
    const { data } = fc.letrec((tie) => ({
      data: fc.oneof(
        { depthSize: "small" },
        value,
        fc.array(tie("data")),
        fc.dictionary(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("a", "b", "__proto__")), tie("data")),
      ),
    }));
    const pointer = fc
      .array(fc.constantFrom("data", "a", "b", "0", "1", "__proto__", "x~1y"))
      .map((path) => `/${path.join("/")}`);
    fc.assert(
      fc.property(data, pointer, (sent, place) => {
        const text = JSON.stringify(describeEvent({ id: "e-1", data: sent, [JSON.stringify(sent)]: 1 }, place));

        expect(text).not.toContain("§");
        expect(text).not.toMatch(/\d{7}/);
        const { members = {} } = JSON.parse(text) as { members?: Record<string, string> };
        expect(Object.keys(members).length).toBeLessThanOrEqual(REFUSAL_MEMBERS);
        for (const name of Object.keys(members)) expect(name).toMatch(/^(?:\*|[\p{L}_$][\p{L}\p{N}_$-]{0,39})$/u);
        for (const shape of Object.values(members)) expect(shape).toMatch(SHAPE);
      }),
    );
  });
});

const SHAPE = /^(?:null|number|boolean|(?:string|array|object)\(\d+\))$/;
