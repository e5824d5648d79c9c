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
 * @throws SyntaxError as `JSON.parse` does; RangeError for text that has such numbers and thousands of levels
 */
export function parseLossless(text: string): { value: unknown; exact: unknown } {
  const value: unknown = JSON.parse(text);
  if (!mayHaveLossyNumber(text)) return { value, exact: value };
  const exact = json.parse(text, (_key, parsed, { source }) =>
    typeof parsed === "number" && source !== undefined && LOSSY.test(source) && String(parsed) !== source
      ? json.rawJSON(source)
      : parsed,
  );
  return { value, exact };
}

/**
 * Sixteen digits or more, or an exponent of three: a double keeps the value of every shorter number.
 * @see IEEE 754: 15 significant decimal digits survive, from 1e-307 to 1e308
 */
const LOSSY = /\d[\d.]{15}|[eE][+-]?\d{3}/;

/** Looks at what stands between the strings, which are most of any text and may hold anything. */
function mayHaveLossyNumber(text: string): boolean {
  for (let at = 0; ; ) {
    const quote = text.indexOf('"', at);
    const between = text.slice(at, quote === -1 ? undefined : quote);
    if (between.length > 4 && LOSSY.test(between)) return true;
    if (quote === -1) return false;
    at = endOfString(text, quote + 1) + 1;
  }
}

/** The position of the quote that ends a string: one behind an even number of backslashes. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start); ; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
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
