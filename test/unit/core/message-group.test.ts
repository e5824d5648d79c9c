import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MESSAGE_GROUP_MAX_CHARACTERS, messageGroup } from "../../../functions/core/message-group.ts";

describe("the group of a message", () => {
  it.each([
    [
      'ERROR: new row for relation "events" violates check constraint "c"',
      "ERROR: new row for relation ? violates check constraint ?",
    ],
    ["invalid byte 0x00 at 'order 17'", "invalid byte ? at ?"],
    ["can't store it, isn't it", "can't store it, isn't it"],
    ["id 0190f5a1-7e2b-7c3d-9a4f-0123456789ab\n\n  and deadbeef01", "id ? and ?"],
    ["a decade added facade", "a decade added facade"],
    ["at 2026-11-21T09:30:00.123Z, on 2026-11-21 and 09:30:00+01", "at ?, on ? and ??"],
    ["value 1.5e300 > -17, 1,000 of them", "value ? > ?, ? of them"],
    ["", ""],
  ])("the group of %j is %j", (message, group) => {
    expect(messageGroup(message)).toBe(group);
  });

  it("two thousand dead letters of three causes are of three groups", () => {
    const noQuotes = fc.string({ maxLength: 40 }).filter((text) => !/["']/.test(text));
    const varying = fc.record({
      id: fc.uuid(),
      number: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      hex: fc.integer({ min: 0x1000000, max: 0x7fffffff }).map((each) => `${each.toString(16)}0`),
      time: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") }),
      text: noQuotes,
    });
    const causes = [
      (v: Varying) => `ERROR: unsupported Unicode escape sequence DETAIL: "${v.text}" of event ${v.id}`,
      (v: Varying) => `ERROR: value ${v.number} violates the check of '${v.text}' at ${v.time.toISOString()}`,
      (v: Varying) => `ERROR:   index row ${v.id} has\n${Math.abs(Math.trunc(v.number))} bytes, ${v.hex}`,
    ];

    const messages = fc.sample(varying, 2_000).map((each, i) => causes[i % 3]?.(each) ?? "");

    expect(new Set(messages.map(messageGroup)).size).toBe(3);
  });

  it("the group of any text is short, well-formed, without double spaces, and its own group", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
        const group = messageGroup(text);

        expect(group.length).toBeLessThanOrEqual(MESSAGE_GROUP_MAX_CHARACTERS);
        expect(group.isWellFormed()).toBe(true);
        expect(group).not.toMatch(/\s\s|\d/);
      }),
    );
  });
});

type Varying = { id: string; number: number; hex: string; time: Date; text: string };
