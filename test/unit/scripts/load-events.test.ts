import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { createMix } from "../../../scripts/load/mix.ts";
import { type JsonSchema, type SampleDeps, sampleOf } from "../../../scripts/load/sample.ts";

const NOW = new Date("2026-11-30T00:00:00Z");
const deps: SampleDeps = {
  random: Math.random,
  clock: () => NOW,
  matching: (pattern) => fc.sample(fc.stringMatching(new RegExp(pattern, "u")), 1)[0] ?? "",
};
let ids = 0;
const mixDeps = { ...deps, newId: () => `e-${ids++}` };
const toSchema = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input" }) as JsonSchema;

describe("a value for a JSON Schema", () => {
  it.each<[string, z.ZodType]>([
    ["texts", z.object({ a: z.string().min(12), b: z.string().max(3), c: z.string() })],
    ["a pattern", z.string().regex(/^[A-Z]{3}-\d{2}$/)],
    [
      "texts of a form",
      z.object({ at: z.iso.datetime(), day: z.iso.date(), id: z.uuid(), to: z.email(), link: z.url() }),
    ],
    ["integers", z.object({ a: z.int().positive(), b: z.int().min(-3).max(3), c: z.int().lt(5).gt(2) })],
    ["numbers", z.object({ a: z.number(), b: z.number().min(0).max(1), c: z.number().multipleOf(0.25) })],
    ["arrays", z.object({ a: z.array(z.string()).min(6), b: z.tuple([z.int(), z.boolean()]) })],
    ["choices", z.union([z.enum(["x", "y"]), z.literal(7), z.null(), z.object({ a: z.boolean().optional() })])],
    ["records", z.object({ more: z.record(z.string(), z.unknown()).optional() })],
  ])("is valid for %s", (_, schema) => {
    const json = toSchema(schema);

    for (let time = 0; time < 200; time++) {
      const value = sampleOf(json, deps);
      expect(schema.safeParse(value), JSON.stringify(value)).toMatchObject({ success: true });
    }
  });

  it("repeats its texts, as the ids of customers repeat", () => {
    const json = toSchema(z.object({ customerId: z.string() }));
    const texts = Array.from({ length: 3_000 }, () => (sampleOf(json, deps) as { customerId: string }).customerId);

    expect(new Set(texts).size).toBeLessThanOrEqual(1_000);
    for (const text of texts) expect(text).toMatch(/^customerId-\d+$/);
  });
});

describe("the events of a load", () => {
  const order = z.strictObject({ orderId: z.string(), total: z.int().nonnegative() });
  const types = [
    { type: "order", dataschema: "https://example.com/order/2", schema: toSchema(order) },
    { type: "ping", schema: toSchema(z.object({})) },
  ];
  const sentBy = (badShare: number, count = 2_000) => {
    const mix = createMix(types, badShare, mixDeps);
    return Array.from({ length: count }, () => mix.event("/load")).map(({ json, ...event }) => ({
      ...event,
      sent: JSON.parse(json) as { id: string; type?: string; dataschema?: string; data: object },
    }));
  };

  it("are valid, of all types in equal parts, each with its version, an id of its own and the source", () => {
    const events = sentBy(0);

    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    for (const { id, isBad, sent } of events) {
      expect(sent).toMatchObject({ id, source: "/load", time: NOW.toISOString() });
      expect(isBad).toBe(false);
      if (sent.type === "order") expect(order.safeParse(sent.data).success).toBe(true);
      expect(sent.dataschema).toBe(sent.type === "order" ? "https://example.com/order/2" : undefined);
    }
    const orders = events.filter(({ sent }) => sent.type === "order").length;
    expect(Math.abs(orders - 1_000)).toBeLessThan(200);
  });

  it("have a mistake as often as they should, and a mistake is never valid", () => {
    const events = sentBy(0.1, 5_000);
    const bad = events.filter(({ isBad }) => isBad);

    expect(Math.abs(bad.length - 500)).toBeLessThan(150);
    for (const { sent } of bad)
      expect(sent.type === undefined || !order.safeParse(sent.data).success, JSON.stringify(sent)).toBe(true);
    const renamed = bad.filter(({ sent }) => JSON.stringify(sent).includes("_new"));
    expect(renamed.length).toBeGreaterThan(20);
    expect(bad.filter(({ sent }) => sent.type === undefined).length).toBeGreaterThan(20);
  });

  it("are of a type without a schema where the catalog is empty", () => {
    expect(JSON.parse(createMix([], 0, mixDeps).event("/load").json)).toMatchObject({ type: "com.example.load" });
  });
});
