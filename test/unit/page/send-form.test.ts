import { describe, expect, it } from "vitest";
import { toJsonSchema } from "../../../functions/core/data-schema.ts";
import { parseVerbatim } from "../../../functions/core/lossless-json.ts";
import { pointerOf, valueAt, withValueAt } from "../../../console/screens/send/draft.ts";
import { exampleOf, type Field, fieldOf } from "../../../console/screens/send/form.ts";
import * as log from "../../../catalog/log-entry.ts";
import * as notification from "../../../catalog/notification-requested.ts";
import * as order from "../../../catalog/order-placed.ts";
import * as reading from "../../../catalog/telemetry-reading.ts";

const NOW = new Date("2026-11-21T09:30:00Z");
const catalog = [log, notification, order, reading];
const schemaOf = (type: (typeof catalog)[number]) => toJsonSchema(type);

/** Each field that holds a value, by its pointer. */
const leaves = (field: Field): Record<string, string> =>
  field.fields.length === 0 ? { [field.pointer]: field.kind } : Object.assign({}, ...field.fields.map(leaves));

describe("the form of a type", () => {
  it.each(catalog)("begins with data that the catalog accepts: $type", (type) => {
    expect(type.data.safeParse(exampleOf(schemaOf(type), NOW)).error).toBeUndefined();
  });

  it("has a field for each member, and for each element that the draft has", () => {
    const draft = { data: exampleOf(schemaOf(order), NOW) };

    expect(leaves(fieldOf(schemaOf(order), draft, ["data"]))).toEqual({
      "/data/orderId": "text",
      "/data/customerId": "text",
      "/data/currency": "text",
      "/data/items/0/sku": "text",
      "/data/items/0/quantity": "number",
      "/data/items/0/unitAmount": "number",
    });
  });

  it("says which fields are required, which values they have, and their rules", () => {
    const { fields } = fieldOf(schemaOf(notification), {}, ["data"]);
    const [channel, recipient, , parameters, sendAfter] = fields;

    expect(channel).toMatchObject({ kind: "choice", choices: ["email", "sms", "push"], required: true });
    expect(recipient).toMatchObject({ kind: "text", required: true });
    expect(parameters).toMatchObject({ kind: "json", required: false });
    expect(sendAfter).toMatchObject({ kind: "text", hint: "date-time", required: false });
    expect(fieldOf(schemaOf(reading), {}, ["data"]).fields.at(-1)?.hint).toBe("at least 0, at most 1");
  });

  it("a value of another form than the schema gets a field that can show it", () => {
    const draft = { data: { orderId: ["a"], items: "none", customerId: "c", currency: 5 } };
    const fields = fieldOf(schemaOf(order), draft, ["data"]).fields;

    expect(fields.map(({ label, kind }) => [label, kind])).toEqual([
      ["orderId", "json"],
      ["customerId", "text"],
      ["currency", "json"],
      ["items", "json"],
    ]);
  });

  it("a number that is kept as its text is a number", () => {
    const draft = parseVerbatim('{"data": {"value": 12345678901234567890.10}}');

    expect(fieldOf(schemaOf(reading), draft, ["data"]).fields[2]).toMatchObject({ label: "value", kind: "number" });
  });
});

describe("a draft", () => {
  it("gets a value at a path, and objects on the way, without changing the one before", () => {
    const draft = { data: { items: [{ sku: "tea" }] } };

    expect(withValueAt(draft, ["data", "items", 0, "quantity"], 2)).toEqual({
      data: { items: [{ sku: "tea", quantity: 2 }] },
    });
    expect(withValueAt(draft, ["data", "customer", "name"], "Ada")).toMatchObject({
      data: { customer: { name: "Ada" } },
    });
    expect(draft).toEqual({ data: { items: [{ sku: "tea" }] } });
  });

  it("loses the member or element whose value is taken out", () => {
    const draft = { a: 1, list: ["x", "y", "z"] };

    expect(withValueAt(draft, ["list", 1], undefined)).toEqual({ a: 1, list: ["x", "z"] });
    expect(withValueAt(draft, ["a"], undefined)).toEqual({ list: ["x", "y", "z"] });
  });

  it("has a member __proto__ as any other", () => {
    const draft = withValueAt({}, ["__proto__", "x"], 1);

    expect(Object.keys(draft as object)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
    expect(valueAt({}, ["constructor"])).toBeUndefined();
  });

  it("keeps the digits of the numbers around the change", () => {
    const draft = parseVerbatim('{"data": {"n": 1.0, "big": 12345678901234567890}}');

    expect(JSON.stringify(withValueAt(draft, ["data", "more"], true))).toBe(
      '{"data":{"n":1.0,"big":12345678901234567890,"more":true}}',
    );
  });

  it("names a path as a JSON Pointer", () => {
    expect(pointerOf(["data", "a/b", "c~d", 0])).toBe("/data/a~1b/c~0d/0");
  });
});
