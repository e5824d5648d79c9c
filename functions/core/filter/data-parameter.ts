import { parseLossless } from "../lossless-json.ts";
import { badParameter } from "../bad-parameter.ts";
import type { Comparison, Condition, JsonNumber, Scalar } from "./filter.ts";
import { isNumber } from "./leaf-test.ts";
import type { DataName } from "./parse-data-name.ts";
import { escapeWildcard } from "./wildcard.ts";

/** A query parameter `data.PATH[OPERATOR]=value`. */
export type DataParameter = DataName & { name: string; value: string };

/**
 * Makes the conditions of the parameters of one path and kind. A value is read as JSON where it is a number, `true`,
 * `false`, `null` or a text in quotes; any other value is a text as it stands.
 * @throws RequestError `bad_parameter`
 */
export function toConditions(parameters: readonly DataParameter[]): Condition[] {
  const [first] = parameters;
  switch (first?.kind) {
    case undefined:
      return [];
    case "value":
      return parameters.flatMap((each) => (each.operator === "in" ? listOf(each) : [scalarOf(each.value)]));
    case "other value":
      return [{ "anything-but": parameters.map(({ value }) => scalarOf(value)) }];
    case "prefix":
      return parameters.map(({ value }) => ({ prefix: textOf(value) }));
    case "suffix":
      return parameters.map(({ value }) => ({ suffix: textOf(value) }));
    case "contains":
      return parameters.map(({ value }) => ({ wildcard: value === "" ? "*" : `*${escapeWildcard(textOf(value))}*` }));
    case "range":
      return [rangeOf(parameters)];
    case "exists":
      return parameters.map(existsOf);
  }
}

function scalarOf(text: string): Scalar {
  return LITERAL.test(text) ? (tryParse(text) ?? null) : text;
}

const LITERAL = /^(?:-?\d.*|true|false|null|".*")$/su;

/** The value of a JSON text; the text itself where it is none, such as `2026-11-21` or `007`. */
function tryParse(text: string): Scalar {
  try {
    return parseLossless(text).lossless as Scalar;
  } catch {
    return text;
  }
}

/** A text in quotes, or any other text as it stands: `12` is the text with two digits. */
function textOf(text: string): string {
  const value = scalarOf(text);
  return typeof value === "string" ? value : text;
}

/** A list of JSON in brackets, or values with commas between them. */
function listOf({ name, value }: DataParameter): Scalar[] {
  if (!value.startsWith("[")) return value.split(",").map(scalarOf);
  const list: unknown = tryParse(value);
  if (!Array.isArray(list) || list.some(isOperator))
    throw badParameter(name, 'must be values with commas between them, or a list as in ["a","b"]');
  return list as Scalar[];
}

/** An object such as `{"exists":false}`, which patterns have. */
const isOperator = (value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isNumber(value);

/** One lower and one upper bound at most, both numbers or both texts. */
function rangeOf(parameters: readonly DataParameter[]): Condition {
  const bounds = parameters.map(({ name, operator, value }) => {
    const bound = scalarOf(value);
    if (!isNumber(bound) && typeof bound !== "string") throw badParameter(name, "must be a number or a text");
    return { name, comparison: COMPARISONS[operator] ?? "=", bound };
  });
  const [first, second, third] = bounds;
  if (first === undefined) return { text: ["=", ""] };
  if (second === undefined) return rangeWith(first.bound, [first.comparison, first.bound]);
  if (third !== undefined || first.comparison.charAt(0) === second.comparison.charAt(0)) {
    throw badParameter(
      (third ?? second).name,
      "is a second bound on the same side; send one lower and one upper bound",
    );
  }
  if (isNumber(first.bound) !== isNumber(second.bound)) {
    throw badParameter(
      second.name,
      "is a number and the other bound a text, or the other way round; quote a text of digits",
    );
  }
  return rangeWith(first.bound, [first.comparison, first.bound, second.comparison, second.bound]);
}

function rangeWith(bound: JsonNumber | string, range: unknown[]): Condition {
  return (isNumber(bound) ? { numeric: range } : { text: range }) as unknown as Condition;
}

const COMPARISONS: Record<string, Comparison | undefined> = { gt: ">", gte: ">=", lt: "<", lte: "<=" };

function existsOf({ name, value }: DataParameter): Condition {
  if (value !== "true" && value !== "false") throw badParameter(name, "must be true or false");
  return { exists: value === "true" };
}
