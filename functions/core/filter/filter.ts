import { fitsUtf8 } from "../fits-utf8.ts";
import { FILTER_LIST_MAX_ITEMS, FILTER_MAX_BYTES, FILTER_MAX_DEPTH } from "../filter-limits.ts";
import { findUnstorable } from "../find-unstorable.ts";
import { isJsonObject, type RawNumber } from "../lossless-json.ts";
import { checkAttributes } from "./check-attributes.ts";
import { checkPattern } from "./check-pattern.ts";
import { refuse, refuseAt, type Count, type Path } from "./refuse.ts";

/**
 * A condition on events, as plain JSON: the dialects of CloudEvents Subscriptions on the attributes, and `data` with the
 * patterns of EventBridge. docs/filters.md describes the language for users. A filter has exactly one dialect.
 * @see https://github.com/cloudevents/spec/blob/main/subscriptions/spec.md (3.2.4, filters)
 * @see https://github.com/aws/event-ruler (README)
 */
export type Filter =
  | { readonly exact: AttributeValues }
  | { readonly prefix: AttributeTexts }
  | { readonly suffix: AttributeTexts }
  | { readonly all: readonly Filter[] }
  | { readonly any: readonly Filter[] }
  | { readonly not: Filter }
  | { readonly data: Pattern };

/** Values by attribute. Each is compared as text: `true` is the same as `"true"`; `time` is compared as an instant. */
type AttributeValues = { readonly [attribute: string]: string | number | boolean };
type AttributeTexts = { readonly [attribute: string]: string };

/** The pattern of a value: any of the conditions, where it is no object; else patterns of its members. */
export type Pattern = readonly Condition[] | PatternObject;

/** Every member must hold, in the same element where the value is an array. `$or` holds if one of its patterns does. */
export type PatternObject = { readonly [key: string]: Pattern | readonly PatternObject[] };

/** A number; `RawNumber` where a double cannot hold it. */
export type JsonNumber = number | RawNumber;
export type Scalar = string | JsonNumber | boolean | null;

/** A condition on one string, number, boolean or null: a value that it equals, or an object with one operator. */
export type Condition =
  | Scalar
  | Operator
  | { readonly "anything-but": Scalar | readonly Scalar[] | Operator<Texts> }
  | Exists;

export type Operator<Text = string> =
  | { readonly prefix: Text | IgnoreCase<Text> }
  | { readonly suffix: Text | IgnoreCase<Text> }
  | IgnoreCase<Text>
  | { readonly wildcard: Text }
  | { readonly cidr: Text }
  | { readonly numeric: Range<JsonNumber> }
  | { readonly text: Range<string> };

export type IgnoreCase<Text = string> = { readonly "equals-ignore-case": Text };
type Exists = { readonly exists: boolean };
export type Texts = string | readonly string[];

/** One comparison, or a lower and an upper one, which both must hold. */
export type Range<Bound> = readonly [Comparison, Bound] | readonly [Comparison, Bound, Comparison, Bound];
export type Comparison = "=" | ">" | ">=" | "<" | "<=";

/**
 * Checks a filter that somebody sent: JSON as `parseLossless` reads it. The filter is the same value, and stays JSON.
 * @throws RequestError `bad_filter` with the `pointer` of the first fault, and a message that says how to repair it
 */
export function parseFilter(value: unknown): Filter {
  const unstorable = findUnstorable(value);
  if (unstorable !== undefined) refuseAt(unstorable.path, unstorable.message);
  if (!fitsUtf8(JSON.stringify(value) ?? "", FILTER_MAX_BYTES)) {
    refuse([], `has more than ${FILTER_MAX_BYTES} bytes; shorten it, or ask with several filters`);
  }
  checkFilter(value, [], { conditions: 0, values: 0 });
  return value as Filter;
}

function checkFilter(value: unknown, path: Path, count: Count, depth = 1): void {
  if (!isJsonObject(value)) return refuse(path, `must be an object with one dialect: ${DIALECTS.join(", ")}`);
  if (depth > FILTER_MAX_DEPTH) {
    refuse(path, `is nested deeper than ${FILTER_MAX_DEPTH} levels of all, any and not; write it with fewer`);
  }
  const [dialect, ...others] = Object.keys(value);
  if (dialect === undefined) return refuse(path, `is empty; give one dialect: ${DIALECTS.join(", ")}`);
  if (others.length > 0) refuse(path, 'has several members; put each into a filter of its own: {"all": [{…}, {…}]}');
  const inside = [...path, dialect];
  const operand = value[dialect];
  switch (dialect) {
    case "exact":
    case "prefix":
    case "suffix":
      return checkAttributes(dialect, operand, inside, count);
    case "all":
    case "any":
      return checkList(operand, inside).forEach((each, i) => checkFilter(each, [...inside, i], count, depth + 1));
    case "not":
      return checkFilter(operand, inside, count, depth + 1);
    case "data":
      return checkPattern(operand, inside, count);
    default:
      return refuse(inside, `is no dialect; the dialects are ${DIALECTS.join(", ")}, as in {"exact": {"type": "…"}}`);
  }
}

const DIALECTS = ["exact", "prefix", "suffix", "all", "any", "not", "data"];

function checkList(value: unknown, path: Path): unknown[] {
  if (!Array.isArray(value) || value.length === 0) return refuse(path, "must be a list with at least one filter");
  if (value.length > FILTER_LIST_MAX_ITEMS) {
    refuse(path, `has ${value.length} filters; the limit is ${FILTER_LIST_MAX_ITEMS}`);
  }
  return value;
}
