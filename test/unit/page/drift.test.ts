import { describe, expect, it } from "vitest";
import { compareFields } from "../../../console/screens/types/drift.ts";
import { fieldsDeclared } from "../../../console/screens/types/fields-declared.ts";
import { fieldsSeen } from "../../../console/screens/types/fields-seen.ts";

const schema = {
  type: "object",
  properties: {
    orderId: { type: "string" },
    total: { type: "integer" },
    note: { anyOf: [{ type: "string" }, { type: "null" }] },
    items: { type: "array", items: { $ref: "#/$defs/item" } },
    labels: { type: "object", additionalProperties: { type: "string" } },
    anything: {},
  },
  required: ["orderId", "total"],
  $defs: { item: { type: "object", properties: { sku: { enum: ["a", "b"] } }, required: ["sku"] } },
};

/** The drift of each field by its path. */
function driftOf(data: readonly string[], declared: object | null = schema): Record<string, string> {
  const fields = compareFields(fieldsSeen(data), declared === null ? undefined : fieldsDeclared(declared));
  return Object.fromEntries(fields.map(({ path, drift }) => [path, drift]));
}

describe("drift", () => {
  it("is nothing where events have what the schema declares", () => {
    const event = '{"orderId":"1","total":5,"note":null,"items":[{"sku":"a"}],"labels":{"x":"y"},"anything":{"z":[1]}}';

    expect(new Set(Object.values(driftOf([event])))).toEqual(new Set(["none"]));
  });

  it("is a field that the schema does not declare, named once and not for all below it", () => {
    const drift = driftOf(['{"orderId":"1","total":1,"extra":{"a":{"b":1}}}']);

    expect(drift["extra"]).toBe("undeclared");
    expect(Object.keys(drift).filter((path) => path.startsWith("extra"))).toEqual(["extra"]);
  });

  it("is found within the elements of arrays", () => {
    const drift = driftOf(['{"orderId":"1","total":1,"items":[{"sku":"a"},{"sku":"b","colour":"red"}]}']);

    expect(drift).toMatchObject({ "items[].sku": "none", "items[].colour": "undeclared" });
  });

  it("is a value of another kind, also among the elements of an array and the members of a map", () => {
    const drift = driftOf(['{"orderId":7,"total":1,"items":["a"],"labels":{"x":1}}']);

    expect(drift).toMatchObject({ orderId: "other-kind", "items[]": "other-kind", "labels.x": "other-kind" });
  });

  it("is a declared field that no event has", () => {
    expect(driftOf(['{"orderId":"1"}'])).toMatchObject({ total: "unseen", note: "unseen" });
  });

  it("is not spoken of without a schema", () => {
    expect(driftOf(['{"a":1}'], null)).toEqual({ a: "none" });
  });

  it("counts an event once for a field, however many elements have it", () => {
    const fields = compareFields(fieldsSeen(['{"items":[{"sku":"a"},{"sku":"b"}]}', '{"items":[]}']), undefined);

    expect(fields.find(({ path }) => path === "items")?.events).toBe(2);
    expect(fields.find(({ path }) => path === "items[].sku")?.events).toBe(1);
  });

  it("follows a schema that refers to itself without end", () => {
    const declared = fieldsDeclared({ type: "object", properties: { child: { $ref: "#" } } });

    expect(declared.members.get("child")?.members.get("child")?.kinds).toEqual(new Set(["object"]));
  });
});
