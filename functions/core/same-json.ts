import { isJsonObject, isRawNumber } from "./lossless-json.ts";

/**
 * Tells whether two JSON values are equal: numbers by value to the last digit, members in any order. One value may be
 * compared with many: after the first time each comparison costs no more than reading the other value.
 * @see https://www.postgresql.org/docs/17/datatype-json.html (jsonb compares in the same way)
 */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return toPlainDigits(a) === toPlainDigits(b);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, i) => isSameJson(each, b[i]));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = Object.keys(b);
  return names.length === membersOf(a) && names.every((name) => Object.hasOwn(a, name) && isSameJson(a[name], b[name]));
}

/** The number of an object's members, counted once. */
function membersOf(value: object): number {
  const known = counts.get(value);
  if (known !== undefined) return known;
  const count = Object.keys(value).length;
  counts.set(value, count);
  return count;
}

const counts = new WeakMap<object, number>();

type JsonNumber = Parameters<typeof toPlainDigits>[0];

function isNumber(value: unknown): value is JsonNumber {
  return typeof value === "number" || isRawNumber(value);
}

/** Writes a number of JSON in one way for each value: sign, digits without zeros around them, and the exponent of the last. */
function toPlainDigits(number: number | { rawJSON: string }): string {
  const source = typeof number === "number" ? String(number) : number.rawJSON;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = NUMBER.exec(source) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.slice(0, endOfDigits(digits));
  if (significant === "") return "0";
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** The length without the zeros at the end. A regular expression would begin at each zero before them again. */
function endOfDigits(digits: string): number {
  let end = digits.length;
  while (digits[end - 1] === "0") end -= 1;
  return end;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
