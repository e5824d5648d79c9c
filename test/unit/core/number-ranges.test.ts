import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addRange,
  countNumbers,
  NO_NUMBERS,
  type NumberRanges,
  readRanges,
  withoutRanges,
  writeRanges,
} from "../../../functions/core/number-ranges.ts";

const span = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 9 }));
const spans = fc.array(span, { maxLength: 12 });

const rangesOf = (given: readonly (readonly [number, number])[]) =>
  given.reduce<NumberRanges>((ranges, [first, more]) => addRange(ranges, first, first + more), NO_NUMBERS);
const numbersOf = (ranges: NumberRanges) =>
  ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, place) => first + place));

describe("a set of numbers", () => {
  it("has each number that was added once, in order, with a gap between two ranges", () => {
    fc.assert(
      fc.property(spans, (given) => {
        const expected = new Set(given.flatMap(([first, more]) => numbersOf([[first, first + more]])));
        const ranges = rangesOf(given);

        expect(numbersOf(ranges)).toEqual([...expected].toSorted((a, b) => a - b));
        expect(countNumbers(ranges)).toBe(expected.size);
        expect(ranges.every(([first], place) => place === 0 || first > (ranges[place - 1]?.[1] ?? 0) + 1)).toBe(true);
      }),
    );
  });

  it("without another one has the numbers that only it has", () => {
    fc.assert(
      fc.property(spans, spans, (some, others) => {
        const excluded = new Set(numbersOf(rangesOf(others)));

        expect(numbersOf(withoutRanges(rangesOf(some), rangesOf(others)))).toEqual(
          numbersOf(rangesOf(some)).filter((number) => !excluded.has(number)),
        );
      }),
    );
  });

  it("is the same set after it was written and read", () => {
    fc.assert(
      fc.property(spans, (given) => {
        expect(readRanges(writeRanges(rangesOf(given)))).toEqual(rangesOf(given));
      }),
    );
    expect(
      writeRanges([
        [1, 40],
        [43, 43],
      ]),
    ).toBe("1-40,43");
  });

  it.each(["0", "1-", "-1", "1,,2", "a", "01", "1 "])("is not read from %j", (text) => {
    expect(() => readRanges(text)).toThrow("another form");
  });
});
