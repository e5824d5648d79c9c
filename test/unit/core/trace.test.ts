import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTraceparent, traceIdOfXRay, writeTraceparent } from "../../../functions/core/trace.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const HEX = "0123456789abcdef".split("");
const SPAN = "00f067aa0ba902b7";

describe("a traceparent", () => {
  it("a traceparent of version 00 has a trace, a span and whether somebody may have recorded it", () => {
    const context = { traceId: TRACE, spanId: SPAN };

    expect(readTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({ ...context, isSampled: true });
    expect(readTraceparent(`00-${TRACE}-${SPAN}-fe`)).toEqual({ ...context, isSampled: false });
  });

  it("a traceparent of a later version is read as far as version 00 goes", () => {
    expect(readTraceparent(`cc-${TRACE}-${SPAN}-01-more`)).toMatchObject({ traceId: TRACE, spanId: SPAN });
    expect(readTraceparent(`01-${TRACE}-${SPAN}-01`)).toMatchObject({ traceId: TRACE, spanId: SPAN });
  });

  it.each([
    ["nothing", undefined],
    ["an empty text", ""],
    ["ids in upper case", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["version ff", `ff-${TRACE}-${SPAN}-01`],
    ["more behind version 00", `00-${TRACE}-${SPAN}-01-more`],
    ["more without a dash behind a later version", `01-${TRACE}-${SPAN}-01more`],
    ["a short span", `00-${TRACE}-${SPAN.slice(1)}-01`],
    ["a line break at its end", `00-${TRACE}-${SPAN}-01\n`],
  ])("a traceparent is refused with %s", (_, text) => {
    expect(readTraceparent(text)).toBeUndefined();
  });

  it("a traceparent that is written is read as the same", () => {
    const id = (length: number) => fc.string({ unit: fc.constantFrom(...HEX), minLength: length, maxLength: length });
    const context = fc.record({ traceId: id(32), spanId: id(16), isSampled: fc.boolean() });
    fc.assert(
      fc.property(context, (each) => {
        fc.pre(!/^0+$/.test(each.traceId) && !/^0+$/.test(each.spanId));
        expect(readTraceparent(writeTraceparent(each))).toEqual(each);
      }),
    );
  });

  it.each([
    ["Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", "5759e988bd862e3fe1be46a994272793"],
    ["Self=1-1-1;Root=1-5759e988-bd862e3fe1be46a994272793", "5759e988bd862e3fe1be46a994272793"],
    ["Root=1-5759e988-short;Sampled=1", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("the trace of X-Ray's header %s is %s", (header, id) => {
    expect(traceIdOfXRay(header)).toBe(id);
  });
});
