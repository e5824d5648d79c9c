import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { compile } from "zod/v4/core";
import { cloudEvent, plainEvent } from "../../../functions/core/event-forms.ts";
import { catalog } from "./catalog.ts";
import { NOW, order } from "./support.ts";

/** A valid object, with up to three of its members replaced or others added. */
const around = (valid: Record<string, unknown>) => {
  const member = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      undefined,
      "",
      ".",
      "é".repeat(256),
      "x".repeat(2_049),
      NOW,
      "2026-02-30T00:00:00Z",
      "AAE=",
      1e300,
      -1,
      0.5,
    ),
    fc.constantFrom(...Object.values(valid)),
  );
  const name = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...Object.keys(valid)) },
    fc.constantFrom("x", "toString"),
  );
  return fc
    .array(fc.tuple(name, member), { maxLength: 3 })
    .map((changes) => JSON.parse(JSON.stringify({ ...valid, ...Object.fromEntries(changes) })) as unknown);
};

const attributes = {
  id: "1",
  source: "/s",
  type: "t",
  subject: "s",
  time: NOW,
  dataschema: "urn:x",
  datacontenttype: "a/b",
};
const samples: Record<string, Record<string, unknown>> = {
  "com.example.order.placed": order("o").data,
  "com.example.log.entry": { level: "info", message: "", service: "api", traceId: "t", context: { a: 1 } },
  "com.example.notification.requested": {
    channel: "sms",
    recipient: "r",
    template: "t",
    parameters: {},
    sendAfter: NOW,
  },
  "com.example.telemetry.reading": { deviceId: "d", sensor: "s", value: 1.5, unit: "Cel", quality: 0.5 },
};

describe("a compiled schema", () => {
  const cases: [string, z.ZodType, Record<string, unknown>][] = [
    ["a plain event", plainEvent(), { ...attributes, data: {}, specversion: "1.0", ext: 1 }],
    ["a CloudEvent", cloudEvent(), { ...attributes, specversion: "1.0", data_base64: "AAE=", ext: 1 }],
    ...Object.entries(samples).flatMap(([type, valid]) =>
      (catalog.get(type) ?? []).map(({ data }): [string, z.ZodType, Record<string, unknown>] => [type, data, valid]),
    ),
  ];

  it.each(cases)("accepts exactly the values that the schema accepts: %s", (_name, schema, valid) => {
    const compiled = compile(schema);
    let accepted = 0;
    fc.assert(
      fc.property(around(valid), (value) => {
        const { success } = schema.safeParse(value);
        if (success) accepted += 1;

        expect(compiled.validate(value)).toBe(success);
      }),
      { numRuns: 1_000 },
    );
    expect(compiled).not.toBe(schema);
    expect(accepted).toBeGreaterThan(50);
    expect(accepted).toBeLessThan(950);
  });
});
