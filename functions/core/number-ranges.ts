/**
 * A set of whole numbers from 1 as its ranges, both ends included, in order, with a gap between any two. Its text is for example
 * `1-40,43,50-99`, and empty for no number.
 */
export type NumberRanges = readonly (readonly [first: number, last: number])[];

export const NO_NUMBERS: NumberRanges = [];

/** Adds the numbers from `first` to `last`, which may be there already. */
export function addRange(ranges: NumberRanges, first: number, last: number): NumberRanges {
  const before = ranges.filter(([, end]) => end < first - 1);
  const after = ranges.filter(([start]) => start > last + 1);
  const touched = ranges.slice(before.length, ranges.length - after.length);
  const start = Math.min(first, ...touched.map(([each]) => each));
  const end = Math.max(last, ...touched.map(([, each]) => each));
  return [...before, [start, end], ...after];
}

/** The size of a set. */
export function countNumbers(ranges: NumberRanges): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** The numbers of `ranges` that `others` lack. */
export function withoutRanges(ranges: NumberRanges, others: NumberRanges): NumberRanges {
  return others.reduce<NumberRanges>(
    (left, [first, last]) =>
      left.flatMap(([start, end]): NumberRanges => {
        if (end < first || start > last) return [[start, end]];
        const parts: NumberRanges = [
          [start, first - 1],
          [last + 1, end],
        ];
        return parts.filter(([from, to]) => from <= to);
      }),
    ranges,
  );
}

export function writeRanges(ranges: NumberRanges): string {
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}

/** @throws Error for a text that is none of `writeRanges` */
export function readRanges(text: string): NumberRanges {
  if (text === "") return NO_NUMBERS;
  return text.split(",").map((part): readonly [number, number] => {
    const [, first, last = first] = /^([1-9]\d{0,15})(?:-([1-9]\d{0,15}))?$/.exec(part) ?? [];
    if (first === undefined) throw new Error("A set of numbers has another form than 1-40,43.");
    return [Number(first), Number(last)];
  });
}
