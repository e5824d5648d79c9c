import * as fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parseLossless } from "../../../functions/core/lossless-json.ts";
import { stringifyForQueue } from "../../../functions/core/sqs-text.ts";

describe("lossless JSON", () => {
  it.each(["12345678901234567890", "0.1000000000000000055511151231257827", "1E400", "-1234567890.1234567890", "100"])(
    "writes the number %s as it was read",
    (number) => {
      const { lossless } = parseLossless(`{"a":[${number}]}`);

      expect(stringifyForQueue(lossless)).toBe(`{"a":[${number}]}`);
    },
  );

  it("returns one object for both values where no number would change", () => {
    const text = '{"id":"12345678901234567890\\\\","t":"a\\"1e400 1234567890123456","n":[1,-2.5,1000000,1.10,1e2]}';

    const { value, lossless } = parseLossless(text);

    expect(lossless).toBe(value);
  });

  it("keeps the value of every number, whatever its digits", () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,25})(\.\d{1,25})?([eE][+-]?\d{1,3})?$/);
    fc.assert(
      fc.property(digits, (number) => {
        const written = stringifyForQueue(parseLossless(`{"text":"[1e400,","n":${number}}`).lossless);

        expect(normalize(written.slice(written.lastIndexOf(":") + 1, -1))).toEqual(normalize(number));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["of many levels", `${"[".repeat(2_000)}${"]".repeat(2_000)}`],
    ["of many values", `[${"{},".repeat(1_000)}{}]`],
    ["of many strings with escaped quotes", `[${'"\\"",'.repeat(500)}0]`],
  ])("reads each character of a text %s at most twice", (_name, text) => {
    const reads = vi.spyOn(String.prototype, "charCodeAt");
    onTestFinished(() => reads.mockRestore());

    try {
      parseLossless(text);
    } catch (error) {
      expect(error).toMatchObject({ name: "JsonLimitError" });
    }

    expect(reads.mock.calls.length).toBeLessThanOrEqual(2 * text.length);
  });

  it("escapes the two characters that SQS refuses, and reads back the same text", () => {
    const text = "a\uFFFEb\uFFFF\u{1F600}";

    const written = stringifyForQueue({ text });

    expect(written).not.toMatch(/[\uFFFE\uFFFF]/);
    expect(JSON.parse(written)).toEqual({ text });
  });
});

/** A number as its digits without zeros at either end, and the power of ten of the last of them. */
function normalize(number: string): { digits: string; power: number } {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const trimmed = digits.replace(/0+$/, "");
  const power = Number(exponent) - fraction.length + digits.length - trimmed.length;
  return trimmed === "" ? { digits: "0", power: 0 } : { digits: sign + trimmed, power };
}
