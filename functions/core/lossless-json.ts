import { endOfString } from "./end-of-string.ts";
import { JSON_MAX_DEPTH } from "./limits.ts";
import { parseJson } from "./parse-json.ts";

/**
 * JSON that keeps its numbers. `JSON.parse` changes `12345678901234567890`, but events must come back equal, so numbers
 * that a double cannot hold travel as raw text.
 * @see https://tc39.es/proposal-json-parse-with-source/ (in Node since 21)
 */

/** A number kept as its source text; `JSON.stringify` writes that text. */
export type RawNumber = { readonly rawJSON: string };

type WithSource = {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};
const json = JSON as unknown as WithSource;

/** The value of a text, and the facts that one scan of the text finds. */
export type Parsed = {
  value: unknown;
  /** The same value with every number that a double would change kept as a `RawNumber`; mostly the same object. */
  lossless: unknown;
  /** Lower bound of the number of members and elements. */
  values: number;
  /** Levels of arrays and objects. */
  depth: number;
  /** The places of the commas between the members or elements of the outermost object or array. */
  commas: readonly number[];
  /**
   * True if the text may be stored as it is: every string is well-formed and has no character that PostgreSQL or SQS
   * refuses, no key is `__proto__`, and every number has at most 15 digits and no exponent. The value written back then
   * has no more bytes than the text.
   */
  isVerbatimSafe: boolean;
};

/**
 * Parses `text` and keeps its numbers.
 * @param maxValues members and elements; the size of a queue message limits them already
 * @throws SyntaxError as `JSON.parse` does; JsonLimitError for text with too many values or levels
 */
export function parseLossless(text: string, maxValues = Number.POSITIVE_INFINITY): Parsed {
  const { numbers, ...scanned } = scan(text, maxValues);
  const { values, depth } = scanned;
  if (depth > JSON_MAX_DEPTH) throw new JsonLimitError("depth");
  if (values > maxValues) throw new JsonLimitError("values");
  const value = parseJson(text);
  if (numbers !== "lossy") {
    return { value, lossless: value, ...scanned, isVerbatimSafe: numbers === "simple" && isSafeText(text) };
  }
  const lossless = parseJson(text, (_key, parsed, { source }) =>
    typeof parsed === "number" && source !== undefined && LOSSY.test(source) && String(parsed) !== source
      ? json.rawJSON(source)
      : parsed,
  );
  return { value, lossless, ...scanned, isVerbatimSafe: false };
}

/** Parses `text` and keeps every number as its source text, also `1.0` and `1e2`. @throws SyntaxError as `JSON.parse` does */
export function parseVerbatim(text: string): unknown {
  return parseJson(text, (_key, parsed, { source }) =>
    typeof parsed === "number" && source !== undefined ? json.rawJSON(source) : parsed,
  );
}

/**
 * Finds text that may hold `__proto__` or a character that cannot be stored. A well-formed JSON text holds U+0000 and half
 * of a surrogate pair only as escapes, and `__proto__` may be spelled with escapes too.
 */
function isSafeText(text: string): boolean {
  for (let at = text.indexOf("\\u"); at !== -1; at = text.indexOf("\\u", at + 2)) {
    if (UNSAFE_ESCAPE.test(text.slice(at, at + "\\u0000".length))) return false;
  }
  return !text.includes("__proto__") && !text.includes("\uFFFE") && !text.includes("\uFFFF") && text.isWellFormed();
}

/** ASCII (may spell `__proto__` or U+0000), surrogates and the U+FFFx noncharacters; `Gr\u00f6\u00dfe` is safe. */
const UNSAFE_ESCAPE = /\\u(?:00[0-7]|[dD][89a-fA-F]|[fF]{3})/;

/** The text exceeds the limit of depth or values; thrown before it is parsed. */
export class JsonLimitError extends Error {
  override readonly name = "JsonLimitError";
  readonly limit: "depth" | "values";

  constructor(limit: "depth" | "values") {
    super(`JSON over the limit of ${limit}`);
    this.limit = limit;
  }
}

/**
 * A number of sixteen digits or more, or with an exponent of three. A double keeps the value of every shorter number.
 * @see IEEE 754: 15 significant decimal digits survive, from 1e-307 to 1e308
 */
const LOSSY = /\d[\d.]{15}|[eE][+-]?\d{3}/;

type ScanResult = {
  values: number;
  depth: number;
  commas: number[];
  /** `simple`: no exponent, at most 15 digits. `short`: a double keeps each. `lossy`: a double may change one. */
  numbers: "simple" | "short" | "lossy";
};

/**
 * Counts values, levels and digits in one pass that skips the strings. It goes character by character because it reads
 * every body: a regular expression for the numbers alone takes as long as the whole pass.
 */
function scan(text: string, maxValues: number): ScanResult {
  const found: ScanResult = { values: 1, depth: 0, commas: [], numbers: "simple" };
  let level = 0;
  /** Digits and points of the current number so far. */
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i + 1);
      digits = 0;
    } else if (code >= POINT && code <= NINE) {
      digits += 1;
      if (digits > 15) found.numbers = "lossy";
    } else {
      if ((code === LOWER_E || code === UPPER_E) && digits > 0 && found.numbers !== "lossy") {
        found.numbers = LOSSY.test(text.slice(i, i + "e+100".length)) ? "lossy" : "short";
      }
      digits = 0;
      if (code === COMMA) {
        found.values += 1;
        if (level === 1 && found.values <= maxValues) found.commas.push(i);
      } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
        level += 1;
        found.values += 1;
        if (level > found.depth) found.depth = level;
      } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) level -= 1;
    }
  }
  return found;
}

const [QUOTE, COMMA, POINT, NINE, UPPER_E, LOWER_E] = [0x22, 0x2c, 0x2e, 0x39, 0x45, 0x65];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** Tells whether a parsed value is an object of JSON: no array, not null, and no number that is kept as its text. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);
}
