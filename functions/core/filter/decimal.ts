import type { JsonNumber } from "./filter.ts";

/**
 * Compares two numbers of JSON as decimals, to the last digit: negative, 0 or positive. Two doubles are in the order of
 * their shortest decimals, which are what JSON has, so those need no digits.
 */
export function compareDecimals(a: JsonNumber, b: JsonNumber): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const left = toDecimal(a);
  const right = toDecimal(b);
  if (left.sign !== right.sign) return left.sign - right.sign;
  return left.sign * compareMagnitudes(left, right);
}

/** `0.digits × 10^exponent`: no zeros around the digits, and none at all for 0. */
type Decimal = { sign: -1 | 0 | 1; digits: string; exponent: number };

function toDecimal(number: JsonNumber): Decimal {
  const source = typeof number === "number" ? String(number) : number.rawJSON;
  const [, sign, whole = "", fraction = "", exponent = "0"] = NUMBER.exec(source) ?? [];
  const all = whole + fraction;
  const start = all.search(/[1-9]/);
  if (start === -1) return { sign: 0, digits: "", exponent: 0 };
  let end = all.length;
  while (all[end - 1] === "0") end -= 1;
  return {
    sign: sign === "-" ? -1 : 1,
    digits: all.slice(start, end),
    exponent: Number(exponent) + whole.length - start,
  };
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

function compareMagnitudes(a: Decimal, b: Decimal): number {
  if (a.exponent !== b.exponent) return a.exponent - b.exponent;
  if (a.digits === b.digits) return 0;
  return a.digits < b.digits ? -1 : 1;
}
