import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Event } from "../../../functions/core/event.ts";
import { parseLossless } from "../../../functions/core/lossless-json.ts";
import { haveSameContent } from "../../../functions/ingest/same-content.ts";
import { EQUAL_JSON, OTHER_JSON } from "../../support/json-pairs.ts";

const event = (changes: Partial<Event> = {}): Event => ({
  id: "1",
  source: "/s",
  type: "t",
  time: "2026-11-21T09:30:00Z",
  ...changes,
});
const withData = (json: string) => event({ data: parseLossless(json).lossless });

describe("events with one key", () => {
  it.each(EQUAL_JSON)("have the same content where their data is %s and %s", (a, b) => {
    expect(haveSameContent(withData(a), withData(b))).toBe(true);
    expect(haveSameContent(withData(b), withData(a))).toBe(true);
  });

  it.each(OTHER_JSON)("have other content where their data is %s and %s", (a, b) => {
    expect(haveSameContent(withData(a), withData(b))).toBe(false);
    expect(haveSameContent(withData(b), withData(a))).toBe(false);
  });

  it("are compared without reading more than the smaller one has", () => {
    let reads = 0;
    const counted = (items: number[]) =>
      new Proxy(items, {
        get: (target, name) => {
          reads += 1;
          return Reflect.get(target, name) as unknown;
        },
      });
    const keys = vi.spyOn(Object, "keys");
    const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

    expect(haveSameContent(event({ data: counted(numbers(20_000)) }), event({ data: [0, 1] }))).toBe(false);
    expect(haveSameContent(event({ data: counted(numbers(20_000)) }), event({ data: { 0: 0 } }))).toBe(false);
    expect(
      haveSameContent(event({ data: counted(numbers(20_000)) }), event({ data: numbers(20_000).with(1, 7) })),
    ).toBe(false);

    expect(reads).toBeLessThan(50);

    const large = event({ data: Object.fromEntries(numbers(10_000).map((i) => [`k${i}`, i])) });
    keys.mockClear();
    for (let copy = 0; copy < 100; copy++) expect(haveSameContent(large, event({ data: { k0: 1 } }))).toBe(false);
    expect(keys.mock.calls.filter(([value]) => value === large.data)).toHaveLength(1);
    keys.mockRestore();
  });

  it("have the same content whatever their times", () => {
    expect(haveSameContent(event(), event({ time: "2026-11-22T00:00:00Z" }))).toBe(true);
  });

  it("have the same content whatever trace they were sent in", () => {
    const traced = event({ extensions: { traceparent: "00-a", tracestate: "b=c" } });

    expect(haveSameContent(event(), traced)).toBe(true);
    expect(haveSameContent(traced, event({ extensions: { traceparent: "00-b" } }))).toBe(true);
    expect(haveSameContent(traced, event({ extensions: { traceparent: "00-a", other: "x" } }))).toBe(false);
  });

  it.each<Partial<Event>>([
    { type: "u" },
    { subject: "s" },
    { dataschema: "urn:s" },
    { datacontenttype: "a/b" },
    { extensions: { a: "1" } },
    { data: null },
    { data_base64: "AA==" },
  ])("have other content where one has %j", (changes) => {
    expect(haveSameContent(event(), event(changes))).toBe(false);
    expect(haveSameContent(event(changes), event(changes))).toBe(true);
  });

  it("have the same content exactly where their JSON values are equal", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (a, b) => {
        const [left, right, copy] = [a, b, a].map((value) => withData(JSON.stringify(value)));

        expect(haveSameContent(left as Event, copy as Event)).toBe(true);
        expect(haveSameContent(left as Event, right as Event)).toBe(
          canonical(JSON.parse(JSON.stringify(a))) === canonical(JSON.parse(JSON.stringify(b))),
        );
      }),
    );
  });
});

/** JSON text with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
