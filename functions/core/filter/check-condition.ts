import { FILTER_LIST_MAX_ITEMS, FILTER_TEXT_MAX_BYTES } from "../filter-limits.ts";
import { fitsUtf8 } from "../fits-utf8.ts";
import { isJsonObject, isRawNumber } from "../lossless-json.ts";
import { parseCidr } from "./cidr.ts";
import { refuse, type Path } from "./refuse.ts";
import { parseWildcard } from "./wildcard.ts";

/** Checks one condition of a list. @throws RequestError `bad_filter` */
export function checkCondition(value: unknown, path: Path): void {
  if (isScalar(value)) return checkScalar(value, path);
  if (!isJsonObject(value))
    return refuse(path, "must be a value, or an object with one operator; lists are not nested");
  const name = operatorOf(value, path, [...OPERATORS, "exists", "anything-but"]);
  const inside = [...path, name];
  const operand = value[name];
  if (name === "exists") {
    if (typeof operand !== "boolean") refuse(inside, "must be true or false");
  } else if (name === "anything-but") checkAnythingBut(operand, inside);
  else checkOperand(name, operand, inside, checkText);
}

const OPERATORS = ["prefix", "suffix", "equals-ignore-case", "wildcard", "cidr", "numeric", "text"];

/** Checks a text that an operator compares with. */
type CheckText = (value: unknown, path: Path) => void;

function checkOperand(name: string, operand: unknown, path: Path, check: CheckText): void {
  switch (name) {
    case "prefix":
    case "suffix":
      if (!isJsonObject(operand)) return check(operand, path);
      operatorOf(operand, path, ["equals-ignore-case"]);
      return check(operand["equals-ignore-case"], [...path, "equals-ignore-case"]);
    case "wildcard":
      return each(operand, path, (text, place) => {
        check(text, place);
        if (parseWildcard(text as string) === undefined) {
          refuse(place, "has ** or a backslash that escapes nothing; write \\* for a star and \\\\ for a backslash");
        }
      });
    case "cidr":
      return each(operand, path, (text, place) => {
        check(text, place);
        if (parseCidr(text as string) === undefined)
          refuse(place, "must be a range of addresses, as in 10.0.0.0/8 or 2001:db8::/32");
      });
    case "numeric":
      return checkRange(operand, path, isNumber, 'numbers, as in [">=", 0, "<", 5]');
    case "text":
      return checkRange(operand, path, isText, 'texts, as in [">=", "2026-11-01", "<", "2026-12-01"]');
    default:
      return check(operand, path);
  }
}

function each(operand: unknown, path: Path, check: CheckText): void {
  if (Array.isArray(operand)) operand.forEach((text, i) => check(text, [...path, i]));
  else check(operand, path);
}

/** Lists are for anything-but alone, as in EventBridge: elsewhere a condition beside it says the same. */
function checkAnythingBut(operand: unknown, path: Path): void {
  if (isJsonObject(operand)) {
    const name = operatorOf(operand, path, OPERATORS);
    return checkOperand(name, operand[name], [...path, name], checkTexts);
  }
  if (Array.isArray(operand)) return checkList(operand, path).forEach((value, i) => checkScalar(value, [...path, i]));
  checkScalar(operand, path);
}

function checkTexts(value: unknown, path: Path): void {
  if (Array.isArray(value)) checkList(value, path).forEach((text, i) => checkText(text, [...path, i]));
  else checkText(value, path);
}

function checkList(value: unknown[], path: Path): unknown[] {
  if (value.length === 0) refuse(path, "is empty; give at least one value");
  if (value.length > FILTER_LIST_MAX_ITEMS)
    refuse(path, `has ${value.length} values; the limit is ${FILTER_LIST_MAX_ITEMS}`);
  return value;
}

function operatorOf(value: Record<string, unknown>, path: Path, allowed: readonly string[]): string {
  const [name, ...others] = Object.keys(value);
  if (name === undefined || others.length > 0) return refuse(path, `must have one operator of ${allowed.join(", ")}`);
  if (!allowed.includes(name)) refuse([...path, name], `is no operator here; there are ${allowed.join(", ")}`);
  return name;
}

/** One comparison, or one upper and one lower bound. */
function checkRange(value: unknown, path: Path, isBound: (bound: unknown) => boolean, form: string): void {
  if (!Array.isArray(value) || (value.length !== 2 && value.length !== 4))
    return refuse(path, `must be one or two comparisons with ${form}`);
  for (let i = 0; i < value.length; i += 2) {
    if (!COMPARISONS.includes(value[i] as string)) refuse([...path, i], `must be one of ${COMPARISONS.join(" ")}`);
    if (!isBound(value[i + 1])) refuse([...path, i + 1], `must be one of ${form}`);
    if (typeof value[i + 1] === "string") checkText(value[i + 1], [...path, i + 1]);
  }
  const directions = value.filter((_, i) => i % 2 === 0).map((comparison) => String(comparison).charAt(0));
  if (directions.length === 2 && directions.toSorted().join("") !== "<>") {
    refuse(path, "must have one lower and one upper bound where it has two comparisons");
  }
}

const COMPARISONS = ["=", ">", ">=", "<", "<="];

function isNumber(value: unknown): boolean {
  return typeof value === "number" || isRawNumber(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === "boolean" || isText(value) || isNumber(value);
}

function checkScalar(value: unknown, path: Path): void {
  if (!isScalar(value)) refuse(path, "must be a text, a number, true, false or null");
  if (isText(value)) checkText(value, path);
}

function checkText(value: unknown, path: Path): void {
  if (typeof value !== "string") return refuse(path, "must be a text");
  if (!fitsUtf8(value, FILTER_TEXT_MAX_BYTES)) refuse(path, `has more than ${FILTER_TEXT_MAX_BYTES} bytes`);
}
