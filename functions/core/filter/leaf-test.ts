import { isRawNumber } from "../lossless-json.ts";
import { isInCidr, parseCidr } from "./cidr.ts";
import { compareCodePoints, foldCase } from "./code-points.ts";
import { compareDecimals } from "./decimal.ts";
import type { Comparison, Condition, IgnoreCase, JsonNumber, Operator, Range, Scalar, Texts } from "./filter.ts";
import { matchesParts, parseWildcard } from "./wildcard.ts";

type Test = (value: Scalar) => boolean;

/** Compiles a list of conditions: a value that is there holds where one of them does. */
export function leafTest(conditions: readonly Condition[]): Test {
  const tests = conditions.map(conditionTest);
  return (value) => tests.some((test) => test(value));
}

function conditionTest(condition: Condition): Test {
  if (!isOperator(condition)) return equals(condition);
  if ("exists" in condition) return () => condition.exists;
  if (!("anything-but" in condition)) return operatorTest(condition);
  const excluded = condition["anything-but"];
  const isExcluded = isOperator(excluded) ? operatorTest(excluded) : leafTest(listOf<Scalar>(excluded));
  return (value) => !isExcluded(value);
}

/** Compiles an operator; where it has several texts, one must hold. */
function operatorTest(operator: Operator<Texts>): Test {
  if ("numeric" in operator) return (value) => isNumber(value) && isInRange(value, operator.numeric, compareDecimals);
  if ("text" in operator) return text((value) => isInRange(value, operator.text, compareCodePoints));
  if ("wildcard" in operator) {
    return someText(operator.wildcard, (wildcard) => {
      const parts = parseWildcard(wildcard) ?? [];
      return (value) => matchesParts(value, parts);
    });
  }
  if ("cidr" in operator) {
    return someText(operator.cidr, (written) => {
      const range = parseCidr(written);
      return (value) => range !== undefined && isInCidr(value, range);
    });
  }
  if ("prefix" in operator) return affixTest(operator.prefix, (value, prefix) => value.startsWith(prefix));
  if ("suffix" in operator) return affixTest(operator.suffix, (value, suffix) => value.endsWith(suffix));
  return affixTest(operator, (value, whole) => value === whole);
}

function affixTest(affix: Texts | IgnoreCase<Texts>, holds: (value: string, affix: string) => boolean): Test {
  if (typeof affix === "string" || isList(affix)) return someText(affix, (each) => (value) => holds(value, each));
  return someText(affix["equals-ignore-case"], (each) => {
    const folded = foldCase(each);
    return (value) => holds(foldCase(value), folded);
  });
}

function someText(texts: Texts, compile: (text: string) => (value: string) => boolean): Test {
  const tests = listOf<string>(texts).map(compile);
  return text((value) => tests.some((test) => test(value)));
}

/** Only texts hold, whatever else a value looks like. */
function text(test: (value: string) => boolean): Test {
  return (value) => typeof value === "string" && test(value);
}

function equals(expected: Scalar): Test {
  if (!isNumber(expected)) return (value) => value === expected;
  return (value) => isNumber(value) && compareDecimals(value, expected) === 0;
}

function isInRange<Value>(value: Value, range: Range<Value>, compare: (a: Value, b: Value) => number): boolean {
  const [first, bound, second, otherBound] = range;
  return (
    COMPARE[first](compare(value, bound)) &&
    (second === undefined || otherBound === undefined || COMPARE[second](compare(value, otherBound)))
  );
}

const COMPARE: Record<Comparison, (difference: number) => boolean> = {
  "=": (difference) => difference === 0,
  ">": (difference) => difference > 0,
  ">=": (difference) => difference >= 0,
  "<": (difference) => difference < 0,
  "<=": (difference) => difference <= 0,
};

export function isNumber(value: unknown): value is JsonNumber {
  return typeof value === "number" || isRawNumber(value);
}

/** Tells whether a condition, or what anything-but excludes, is an object with an operator, and no value or list. */
export function isOperator<Some>(condition: Some): condition is Exclude<Some, Scalar | readonly unknown[]> {
  return typeof condition === "object" && condition !== null && !Array.isArray(condition) && !isRawNumber(condition);
}

export function listOf<Item>(items: Item | readonly Item[]): readonly Item[] {
  return isList(items) ? items : [items];
}

function isList(items: unknown): items is readonly unknown[] {
  return Array.isArray(items);
}
