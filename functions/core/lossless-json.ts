import { JSON_MAX_DEPTH } from "./limits.ts";

/**
 * JSON that keeps its numbers. `JSON.parse` turns `12345678901234567890` into another number; what a client sent must
 * come back equal, so numbers that a double does not hold travel as raw text.
 * @see https://tc39.es/proposal-json-parse-with-source/ (in Node since 21)
 */

/** A number kept as its source text; `JSON.stringify` writes that text. */
export type RawNumber = { readonly rawJSON: string };

type WithSource = {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};
const json = JSON as unknown as WithSource;

/** What a text holds, and what its look alone says. */
export type Parsed = {
  value: unknown;
  /** The same value with every number that a double would change kept as a `RawNumber`; mostly the same object. */
  exact: unknown;
  /** Members and elements, at least. */
  values: number;
  /** Levels of arrays and objects. */
  depth: number;
  /** Characters, at most, of the longest member or element of the outermost object or array. */
  longest: number;
  /**
   * Whether no string or number needs a second look: every string is well-formed and has no character that PostgreSQL
   * or SQS refuses, no key is `__proto__`, and every number has at most 15 digits and no exponent. Then the value
   * written back has no more bytes than the text.
   */
  plain: boolean;
};

/**
 * Parses `text` and keeps its numbers.
 * @param maxValues members and elements; a queue message needs no such limit, its size is one
 * @throws SyntaxError as `JSON.parse` does; JsonLimitError for text with more values or levels than is sensible
 */
export function parseLossless(text: string, maxValues = Number.POSITIVE_INFINITY): Parsed {
  const { numbers, ...look } = scan(text);
  const { values, depth } = look;
  if (depth > JSON_MAX_DEPTH) throw new JsonLimitError("depth");
  if (values > maxValues) throw new JsonLimitError("values");
  const value: unknown = JSON.parse(text);
  if (numbers !== "lossy") return { value, exact: value, ...look, plain: numbers === "plain" && hasPlainText(text) };
  const exact = json.parse(text, (_key, parsed, { source }) =>
    typeof parsed === "number" && source !== undefined && LOSSY.test(source) && String(parsed) !== source
      ? json.rawJSON(source)
      : parsed,
  );
  return { value, exact, ...look, plain: false };
}

/**
 * U+0000 can stand in a JSON text only as an escape, and so can half of a surrogate pair in a text that is well-formed.
 * The letters of `__proto__` may be escapes, too.
 */
function hasPlainText(text: string): boolean {
  for (let at = text.indexOf("\\u"); at !== -1; at = text.indexOf("\\u", at + 2)) {
    if (ODD_ESCAPE.test(text.slice(at, at + "\\u0000".length))) return false;
  }
  return !text.includes("__proto__") && !text.includes("\uFFFE") && !text.includes("\uFFFF") && text.isWellFormed();
}

/** Of ASCII, half of a surrogate pair, or what SQS refuses; others are letters such as those of `Gr\u00f6\u00dfe`. */
const ODD_ESCAPE = /\\u(?:00[0-7]|[dD][89a-fA-F]|[fF]{3})/;

/** Text that is over a limit of its shape, found before anything is built of it. */
export class JsonLimitError extends Error {
  override readonly name = "JsonLimitError";
  readonly limit: "depth" | "values";

  constructor(limit: "depth" | "values") {
    super(`JSON over the limit of ${limit}`);
    this.limit = limit;
  }
}

/**
 * Sixteen digits or more, or an exponent of three: a double keeps the value of every shorter number.
 * @see IEEE 754: 15 significant decimal digits survive, from 1e-307 to 1e308
 */
const LOSSY = /\d[\d.]{15}|[eE][+-]?\d{3}/;

type Look = {
  values: number;
  depth: number;
  longest: number;
  /** `plain`: none has an exponent or more than 15 digits. `lossy`: one may not survive in a double. */
  numbers: "plain" | "short" | "lossy";
};

/**
 * Looks at what stands between the strings, which are most of any text and may hold anything: how many values there
 * are at least, how deep they are nested, and what the numbers are like. Character by character, because this reads
 * every body: a regular expression for the numbers alone takes as long as all of it.
 */
function scan(text: string): Look {
  const found: Look = { values: 1, depth: 0, longest: 0, numbers: "plain" };
  let level = 0;
  /** Where the last member or element of the outermost began. */
  let start = 0;
  /** Digits and points of a number so far. */
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
        if (level > 1) continue;
        found.longest = Math.max(found.longest, i - start);
        start = i;
      } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
        level += 1;
        found.values += 1;
        if (level > found.depth) found.depth = level;
      } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) level -= 1;
    }
  }
  return { ...found, longest: Math.max(found.longest, text.length - start) };
}

const [QUOTE, COMMA, POINT, NINE, UPPER_E, LOWER_E] = [0x22, 0x2c, 0x2e, 0x39, 0x45, 0x65];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The position of the quote that ends a string: one behind an even number of backslashes; the end without one. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

const BACKSLASH = 0x5c;

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}
