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

/**
 * Parses `text`; `exact` is the same value with every number that a double would change kept as a `RawNumber`. Both
 * are the same object where there is none, which is nearly always.
 * @param maxValues members and elements; a queue message needs no such limit, its size is one
 * @throws SyntaxError as `JSON.parse` does; JsonLimitError for text with more values or levels than is sensible
 */
export function parseLossless(
  text: string,
  maxValues = Number.POSITIVE_INFINITY,
): { value: unknown; exact: unknown; values: number } {
  const { values, depth, lossy } = scan(text);
  if (depth > JSON_MAX_DEPTH) throw new JsonLimitError("depth");
  if (values > maxValues) throw new JsonLimitError("values");
  const value: unknown = JSON.parse(text);
  if (!lossy) return { value, exact: value, values };
  const exact = json.parse(text, (_key, parsed, { source }) =>
    typeof parsed === "number" && source !== undefined && LOSSY.test(source) && String(parsed) !== source
      ? json.rawJSON(source)
      : parsed,
  );
  return { value, exact, values };
}

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

/**
 * Looks at what stands between the strings, which are most of any text and may hold anything: how many values there
 * are at least, how deep they are nested, and whether a number may not survive in a double.
 */
function scan(text: string): { values: number; depth: number; lossy: boolean } {
  const found = { values: 1, depth: 0, lossy: false };
  let level = 0;
  for (let at = 0; ; ) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    for (let i = at; i < end; i++) {
      const code = text.charCodeAt(i);
      if (code === COMMA) found.values += 1;
      else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
        level += 1;
        found.values += 1;
        if (level > found.depth) found.depth = level;
      } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) level -= 1;
    }
    if (!found.lossy && end - at > 4) found.lossy = LOSSY.test(text.slice(at, end));
    if (quote === -1) return found;
    at = endOfString(text, quote + 1) + 1;
  }
}

const [COMMA, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x2c, 0x5b, 0x5d, 0x7b, 0x7d];

/** The position of the quote that ends a string: one behind an even number of backslashes; the end without one. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/**
 * `JSON.stringify` for text that goes through SQS: U+FFFE and U+FFFF are outside SQS's character set and
 * `JSON.stringify` leaves them raw, so they are written as escapes.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html (MessageBody)
 */
export function stringifyForQueue(value: unknown): string {
  const text = JSON.stringify(value);
  return NOT_IN_SQS.test(text) ? text.replaceAll("\uFFFE", "\\ufffe").replaceAll("\uFFFF", "\\uffff") : text;
}

const NOT_IN_SQS = /[\uFFFE\uFFFF]/;
