import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterPrefix, compareCodePoints } from "../../../../functions/core/filter/code-points.ts";
import { compareDecimals } from "../../../../functions/core/filter/decimal.ts";
import type { JsonNumber } from "../../../../functions/core/filter/filter.ts";
import { toInstant } from "../../../../functions/core/filter/instant.ts";
import { json } from "./support.ts";

const wellFormed = fc.string({ unit: "binary", maxLength: 6 });
const digits = fc.stringMatching(/^-?(?:0|[1-9]\d{0,19})(?:\.\d{1,5})?(?:e-?\d{1,2})?$/);

describe("texts", () => {
  it("texts are in the order of their bytes in UTF-8, which is that of collation C", () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
    expect(compareCodePoints("\ufffd", "\u{10000}")).toBeLessThan(0);
  });

  it("a text begins with a prefix where it is not before the prefix and before the end of its range", () => {
    fc.assert(
      fc.property(
        wellFormed,
        fc.oneof(wellFormed, fc.constantFrom("\ud7ff", "\ufffd", "\u{10ffff}", "a\u{10ffff}")),
        (rest, prefix) => {
          const isInRange = (text: string) => {
            const end = afterPrefix(prefix);
            return compareCodePoints(text, prefix) >= 0 && (end === undefined || compareCodePoints(text, end) < 0);
          };

          for (const text of [prefix + rest, rest, `${prefix}\u{10ffff}`])
            expect(isInRange(text)).toBe(text.startsWith(prefix));
        },
      ),
    );
  });
});

describe("numbers", () => {
  it("numbers are compared as decimals, to the last digit", () => {
    const scaled = (text: string) => {
      const [, sign, whole = "", fraction = "", exponent = "0"] =
        /^(-?)(\d+)(?:\.(\d+))?(?:e(-?\d+))?$/.exec(text) ?? [];
      return (
        BigInt(`${whole}${fraction}` + "0".repeat(120 + Number(exponent) - fraction.length)) * (sign === "-" ? -1n : 1n)
      );
    };
    fc.assert(
      fc.property(digits, digits, (a, b) => {
        const [left, right] = [scaled(a), scaled(b)];

        expect(Math.sign(compareDecimals(json(a) as JsonNumber, json(b) as JsonNumber)) + 0).toBe(
          left < right ? -1 : left > right ? 1 : 0,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(["9007199254740992 < 9007199254740993", "-1e400 < -1e399", "1e-400 < 2e-400", "-1e-400 < 0", "0 < 1e-400"])(
    "%s",
    (text) => {
      const [a, b] = text.split(" < ").map((each) => json(each) as JsonNumber);

      expect(compareDecimals(a ?? 0, b ?? 0)).toBeLessThan(0);
      expect(compareDecimals(b ?? 0, a ?? 0)).toBeGreaterThan(0);
    },
  );
});

describe("times", () => {
  it.each([
    ["2026-11-21T09:30:00Z", "2026-11-21T10:30:00.000+01:00"],
    ["2026-11-21t09:30:00z", "2026-11-21T09:30:00.0000004Z"],
    ["2026-11-21T09:30:00.000002Z", "2026-11-21T09:30:00.0000015Z"],
    ["2026-11-21T09:30:00Z", "2026-11-21T09:29:59.9999999Z"],
    ["2017-01-01T00:00:00Z", "2016-12-31T23:59:60.9Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0-00:00"],
  ])("%s is the instant of %s", (a, b) => {
    expect(toInstant(a)).toBe(toInstant(b));
    expect(toInstant(a)).toBeTypeOf("bigint");
  });

  it.each(["2026-11-21", "2026-11-21T09:30:00", "x", 5, undefined, "2026-13-21T09:30:00Z"])(
    "%j is no instant",
    (text) => {
      expect(toInstant(text)).toBeUndefined();
    },
  );
});
