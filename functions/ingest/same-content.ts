import type { Event } from "../core/event.ts";
import { isJsonObject, isRawNumber } from "../core/lossless-json.ts";

/**
 * Tells whether two valid events with one key have the same content, as the database decides conflicts (`find_conflicts` in
 * functions/sql/0001_events.sql): all but the times is compared, and JSON by value. It costs no more than reading the smaller
 * event: each step is a part of both.
 */
export function haveSameContent(a: Event, b: Event): boolean {
  return COMPARED.every((name) => isSame(a[name], b[name]));
}

const COMPARED = ["type", "subject", "dataschema", "datacontenttype", "extensions", "data", "data_base64"] as const;

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return toPlainDigits(a) === toPlainDigits(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, i) => isSame(each, b[i]));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
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
