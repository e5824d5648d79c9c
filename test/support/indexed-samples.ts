import * as fc from "fast-check";
import { type Filter, parseFilter } from "../../functions/core/filter/filter.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { storable } from "./event-samples.ts";
import type { TestDatabase } from "./database.ts";

/** Events with few values in their declared fields, and filters for them, so that most filters find some of the events. */

/** The declared fields of the samples. The type `none` declares nothing. */
export const DECLARED = [
  { type: "a", pointer: "/v", path: ["v"] },
  { type: "b", pointer: "/v", path: ["v"] },
  { type: "a", pointer: "/items/sku", path: ["items", "sku"] },
];

/** Declares fields as indexed, and covers what was received from a time on. */
export async function declareIndexed(
  { ask }: Pick<TestDatabase, "ask">,
  fields: readonly object[],
  coveredFrom = "-infinity",
): Promise<void> {
  await ask("select declare_fields('indexed_fields', $1)", [JSON.stringify(fields)]);
  await ask("update indexed_fields set covered_from = $1", [coveredFrom]);
}

const json = (text: string): unknown => parseLossless(text).lossless;
const NUMBERS = ["0", "-0", "1", "1.0", "10e-1", "9007199254740992", "9007199254740993", "1e400"].map(json);
const LONG = "x".repeat(20_000);
const TEXTS = ["", "1", "x", "X", "é", "\ufffd", "null", `${LONG}a`, `${LONG}b`];

const scalar = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>("x", 1, json("1.0"), "1") },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(...NUMBERS, ...TEXTS, null, true, false) },
);
/** A filter's texts are short. */
const shortScalar = scalar.filter((value) => typeof value !== "string" || value.length < 1_000);
const value = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(fc.array(scalar, { maxLength: 2 }), { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.record({ w: scalar }) },
);
const item = fc.record({ sku: value, n: fc.constantFrom(1, 2) }, { requiredKeys: [], noNullPrototype: true });
const items = fc.oneof(item, fc.array(fc.oneof(item, fc.array(item, { maxLength: 2 })), { maxLength: 3 }), scalar);
const members = fc.record({ v: value, items, w: scalar }, { requiredKeys: [], noNullPrototype: true });
const data = fc.oneof(
  { weight: 8, arbitrary: members },
  { weight: 1, arbitrary: fc.array(members, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(undefined, null, "text", 1) },
);

const FIRST_DAY = Date.UTC(2026, 10, 19);
const HOUR = 3_600_000;
export const instantAt = (hour: number) => new Date(FIRST_DAY + hour * HOUR).toISOString();

/** Of two tenants and three days, many at one instant. */
export const sampleEvent = fc.record({
  tenant: fc.constantFrom("default", "default", "other"),
  type: fc.constantFrom("a", "a", "b", "none"),
  hour: fc.integer({ min: 0, max: 71 }),
  data,
});

export function toStorable(
  { tenant, type, hour, data: given }: { tenant: string; type: string; hour: number; data: unknown },
  i: number,
): StorableEvent {
  const event = { id: `e${i % 50}`, source: `/s${i}`, type, ...(given !== undefined && { data: given }) };
  return storable(event, { tenant, receivedAt: instantAt(hour) });
}

const conditions = fc.array(shortScalar, { minLength: 1, maxLength: 3 });
const ofType = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("a", "b").map((type) => ({ exact: { type } })) },
  { weight: 1, arbitrary: fc.constant({ any: [{ exact: { type: "a" } }, { exact: { type: "b" } }] }) },
  { weight: 1, arbitrary: fc.constantFrom({ exact: { type: "none" } }, { prefix: { type: "a" } }) },
);
const pattern = fc.oneof(
  { weight: 4, arbitrary: conditions.map((v) => ({ v })) },
  { weight: 2, arbitrary: conditions.map((sku) => ({ items: { sku } })) },
  { weight: 1, arbitrary: fc.tuple(conditions, fc.constantFrom(1, 2)).map(([sku, n]) => ({ items: { sku, n: [n] } })) },
  { weight: 1, arbitrary: fc.tuple(conditions, conditions).map(([v, w]) => ({ v, w })) },
  { weight: 1, arbitrary: fc.tuple(conditions, conditions).map(([a, b]) => ({ $or: [{ v: a }, { v: b, w: b }] })) },
  { weight: 1, arbitrary: conditions.map((v) => ({ v: [...v, { exists: false }] })) },
  { weight: 1, arbitrary: conditions.map((v) => ({ v: [{ "anything-but": v }] })) },
);
const ofData = fc.oneof(
  { weight: 5, arbitrary: pattern.map((each) => ({ data: each })) },
  {
    weight: 1,
    arbitrary: fc
      .array(pattern, { minLength: 1, maxLength: 2 })
      .map((all) => ({ any: all.map((each) => ({ data: each })) })),
  },
  { weight: 1, arbitrary: pattern.map((each) => ({ not: { data: each } })) },
);

export const sampleFilter: fc.Arbitrary<Filter> = fc
  .tuple(ofType, fc.array(ofData, { minLength: 1, maxLength: 2 }))
  .map(([type, all]) => parseFilter({ all: [type, ...all] }));
