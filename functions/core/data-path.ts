import { AGGREGATE_MAX_PATH_STEPS, AGGREGATE_POINTER_MAX_BYTES } from "./aggregate-limits.ts";
import { fitsUtf8 } from "./fits-utf8.ts";

/**
 * Reads a JSON Pointer (RFC 6901) to a value in the data of an event: its keys. PostgreSQL counts negative numbers in an
 * array from its end, and reads `01` and `+1` as 1, which JSON Pointer does not: such keys are refused.
 * @returns undefined for a text that is no such pointer
 */
export function readPointer(text: string): string[] | undefined {
  if (text === "") return [];
  if (!POINTER.test(text) || !text.isWellFormed() || !fitsUtf8(text, AGGREGATE_POINTER_MAX_BYTES)) return undefined;
  const path = text
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  return path.length <= AGGREGATE_MAX_PATH_STEPS && !path.some((key) => AMBIGUOUS.test(key)) ? path : undefined;
}

/** Writes keys as a JSON Pointer. */
export function writePointer(path: readonly string[]): string {
  return path.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

const POINTER = /^(?:\/(?:[^~/\u0000]|~[01])*)+$/;

/** Numbers that are no index of JSON Pointer, but one of PostgreSQL. */
const AMBIGUOUS = /^\s*(?:[+-]\d+|0\d+|\s\d+)$/;
