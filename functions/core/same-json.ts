import { isJsonObject, isRawNumber } from "./lossless-json.ts";

/**
 * Tells whether two JSON values are equal: numbers by value to the last digit, members in any order. Each step is a part of
 * both, so that it costs no more than reading the smaller value.
 * @see https://www.postgresql.org/docs/17/datatype-json.html (jsonb compares in the same way)
 */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return toPlainDigits(a) === toPlainDigits(b);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, i) => isSameJson(each, b[i]));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSameJson(a[name], b[name]))
  );
}

type JsonNumber = Parameters<typeof toPlainDigits>[0];

function isNumber(value: unknown): value is JsonNumber {
  return typeof value === "number" || isRawNumber(value);
}

/** Writes a number of JSON in one way for each value: sign, digits without zeros around them, and the exponent of the last. */
function toPlainDigits(number: number | { rawJSON: string }): string {
  const source = typeof number === "number" ? String(number) : number.rawJSON;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = NUMBER.exec(source) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
