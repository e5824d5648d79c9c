import { RequestError } from "../../functions/core/errors.ts";
import type { Filter } from "../../functions/core/filter/filter.ts";
import { filterFromParameters, isFilterParameter } from "../../functions/core/filter/from-parameters.ts";
import { parseDataName } from "../../functions/core/filter/parse-data-name.ts";
import { FILTER_MAX_PATH_STEPS, FILTER_TEXT_MAX_BYTES } from "../../functions/core/filter-limits.ts";
import { fitsUtf8 } from "../../functions/core/fits-utf8.ts";
import { kindOf, stringOf } from "./json-parts.ts";
import { escapeKey } from "./known-paths.ts";

/** A condition of a filter, as the parameter of `GET /events` that it is (docs/filters.md). */
export type Condition = readonly [name: string, value: string];

/** The operators of parameters, in the words of the page. */
export const OPERATORS = {
  eq: "is",
  ne: "is not",
  in: "is one of",
  prefix: "begins with",
  suffix: "ends with",
  contains: "contains",
  gt: ">",
  gte: "≥",
  lt: "<",
  lte: "≤",
  exists: "exists",
} as const;
export type Operator = keyof typeof OPERATORS;

export const ATTRIBUTES = ["type", "source", "subject", "id"] as const;
const isAttribute = (field: string) => (ATTRIBUTES as readonly string[]).includes(field);

/** The operators that a field can have. */
export function operatorsOf(field: string): readonly Operator[] {
  return isAttribute(field) ? ["eq", "prefix"] : (Object.keys(OPERATORS) as Operator[]);
}

/** The conditions among the parameters of a screen, in their order. */
export function conditionsOf(params: URLSearchParams): Condition[] {
  return [...params].filter(([name]) => isFilterParameter(name));
}

/** The field, the operator and the value of a condition. A name that is not valid is a field by itself. */
export function describe([name, value]: Condition): { field: string; operator: Operator; value: string } {
  if (isAttribute(name)) {
    return value.length > 1 && value.endsWith("*")
      ? { field: name, operator: "prefix", value: value.slice(0, -1) }
      : { field: name, operator: "eq", value };
  }
  try {
    const { operator } = parseDataName(name);
    return { field: name.replace(/\[[^[\]]*\]$/, ""), operator, value };
  } catch {
    return { field: name, operator: "eq", value };
  }
}

/** Makes the condition of a field, an operator and a value; a field of data may be written without `data.` before it. */
export function toCondition(field: string, operator: Operator, value: string): Condition {
  const name = field.trim();
  if (isAttribute(name)) return [name, operator === "prefix" ? `${value}*` : value];
  const path = /^data(?:$|[.[])/.test(name) ? name : `data.${name}`;
  return [operator === "eq" ? path : `${path}[${operator}]`, operator === "exists" && value === "" ? "true" : value];
}

/** The filter of conditions; undefined where there are none. @throws RequestError that says how to repair it */
export function toFilter(conditions: readonly Condition[]): Filter | undefined {
  return filterFromParameters(conditions);
}

/** Says why conditions make no filter; undefined where they do. */
export function faultOf(conditions: readonly Condition[]): string | undefined {
  try {
    toFilter(conditions);
    return undefined;
  } catch (error) {
    return error instanceof RequestError ? error.message : String(error);
  }
}

/**
 * The condition that events with a value meet: `path` leads to it in the event, without the indexes of arrays, which filters look
 * into by themselves. Undefined where no parameter can say it.
 */
export function conditionFor(path: readonly string[], json: string): Condition | undefined {
  const [first = "", ...steps] = path;
  return first === "data" ? dataCondition(steps, json) : attributeCondition(first, json);
}

function attributeCondition(name: string, json: string): Condition | undefined {
  if (!isAttribute(name) || kindOf(json) !== "string") return undefined;
  const value = stringOf(json);
  return value === "" || value.includes("*") ? undefined : [name, value];
}

function dataCondition(steps: readonly string[], json: string): Condition | undefined {
  if (
    steps.length > FILTER_MAX_PATH_STEPS ||
    steps.some((step) => NO_KEYS.has(step)) ||
    json.length > 6 * FILTER_TEXT_MAX_BYTES
  )
    return undefined;
  const kind = kindOf(json);
  if (kind === "object" || kind === "array") return undefined;
  const name = ["data", ...steps.map(escapeKey)].join(".");
  if (kind !== "string") return [name, json];
  const value = stringOf(json);
  return fitsUtf8(value, FILTER_TEXT_MAX_BYTES) ? [name, LITERAL.test(value) ? json : value] : undefined;
}

/** Keys that no parameter can name (docs/filters.md). */
const NO_KEYS: ReadonlySet<string> = new Set(["", "$or", "__proto__"]);

/** Texts that a parameter reads as JSON (functions/core/filter/data-parameter.ts), so that they need their quotes. */
const LITERAL = /^(?:-?\d.*|true|false|null|".*")$/su;
