/**
 * JSON that keeps its numbers. `JSON.parse` turns `12345678901234567890` into another number and `1.10` into `1.1`;
 * what a client sent must come back equal, so numbers that a double does not hold travel as raw text.
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

/** A number of 16 or more digits, with an exponent, or with a zero at the end of its fraction or a negative zero. */
const MAYBE_LOSSY = /\d[\d.]{15}|\d[eE]|\.\d*0(?!\d)|-0(?![\d.])/;

/**
 * Parses `text`; `exact` is the same value with every number that would change kept as a `RawNumber`. Both are the
 * same object where nothing would change, which is nearly always.
 * @throws SyntaxError as `JSON.parse` does
 */
export function parseLossless(text: string): { value: unknown; exact: unknown } {
  const value: unknown = JSON.parse(text);
  if (!MAYBE_LOSSY.test(text)) return { value, exact: value };
  let kept = false;
  const exact = json.parse(text, (_key, parsed, { source }) => {
    if (typeof parsed !== "number" || source === undefined || String(parsed) === source) return parsed;
    kept = true;
    return json.rawJSON(source);
  });
  return { value, exact: kept ? exact : value };
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
