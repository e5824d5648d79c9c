import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLossless, stringifyForQueue } from "../../../functions/core/lossless-json.ts";

describe("lossless JSON", () => {
  it.each([
    "12345678901234567890",
    "0.1000000000000000055511151231257827",
    "1.10",
    "1e2",
    "-0",
    "1E400",
    "-1.0",
    "100",
  ])("writes the number %s as it was read", (number) => {
    const { exact } = parseLossless(`{"a":[${number}]}`);

    expect(stringifyForQueue(exact)).toBe(`{"a":[${number}]}`);
  });

  it("gives one and the same value where no number would change", () => {
    const { value, exact } = parseLossless('{"id":"12345678901234567890","n":[1,-2.5,1000000]}');

    expect(exact).toBe(value);
  });

  it("writes back every number, whatever its digits", () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,25})(\.\d{1,25})?([eE][+-]?\d{1,3})?$/);
    fc.assert(
      fc.property(digits, (number) => {
        expect(stringifyForQueue(parseLossless(`[${number}]`).exact)).toBe(`[${number}]`);
      }),
    );
  });

  it("escapes the two characters that SQS refuses, and reads back the same text", () => {
    const text = "a\uFFFEb\uFFFF\u{1F600}";

    const written = stringifyForQueue({ text });

    expect(written).not.toMatch(/[\uFFFE\uFFFF]/);
    expect(JSON.parse(written)).toEqual({ text });
  });
});
