import { parseCidr, writeCidr } from "./cidr.ts";
import { foldCase } from "./code-points.ts";
import type { Condition, IgnoreCase, Operator, Range, Scalar, Texts } from "./filter.ts";
import { isOperator, listOf } from "./leaf-test.ts";
import type { Bind } from "./to-sql.ts";
import { parseWildcard, toLike } from "./wildcard.ts";

/** Compiles a list of conditions on the JSON value `s.v`, which is a text, a number, a boolean or null. Never null. */
export function leafToSql(conditions: readonly Condition[], bind: Bind): string {
  return anyOf(conditions.map((condition) => conditionToSql(condition, bind)));
}

function anyOf(conditions: string[]): string {
  return conditions.length === 1 ? (conditions[0] ?? "") : `(${conditions.join(" or ")})`;
}

function conditionToSql(condition: Condition, bind: Bind): string {
  if (!isOperator(condition)) return equals(condition, bind);
  if ("exists" in condition) return condition.exists ? "true" : "false";
  if (!("anything-but" in condition)) return operatorToSql(condition, bind);
  const excluded = condition["anything-but"];
  return `not ${isOperator(excluded) ? operatorToSql(excluded, bind) : leafToSql(listOf<Scalar>(excluded), bind)}`;
}

/** jsonb compares numbers as decimals, and texts byte for byte. */
function equals(value: Scalar, bind: Bind): string {
  return `s.v = cast(${bind(JSON.stringify(value))} as jsonb)`;
}

function operatorToSql(operator: Operator<Texts>, bind: Bind): string {
  if ("numeric" in operator)
    return inRange(
      "filter_number(s.v)",
      operator.numeric,
      (bound) => `cast(${bind(JSON.stringify(bound))} as numeric)`,
    );
  if ("text" in operator) return inRange('filter_text(s.v) collate "C"', operator.text, bind);
  if ("wildcard" in operator) {
    return someText(
      operator.wildcard,
      (each) => `coalesce(filter_text(s.v) like ${bind(toLike(parseWildcard(each) ?? []))}, false)`,
    );
  }
  if ("cidr" in operator) {
    return someText(
      operator.cidr,
      (each) => `coalesce(filter_address(s.v) <<= cast(${bind(normalizeCidr(each))} as inet), false)`,
    );
  }
  if ("prefix" in operator) return affixToSql(operator.prefix, "starts_with", bind);
  if ("suffix" in operator) return affixToSql(operator.suffix, "filter_ends_with", bind);
  return affixToSql(operator, "", bind);
}

function affixToSql(affix: Texts | IgnoreCase<Texts>, name: string, bind: Bind): string {
  const compare = (value: string, text: string) =>
    name === "" ? `${value} = ${bind(text)}` : `${name}(${value}, ${bind(text)})`;
  if (!isOperator(affix)) return someText(affix, (each) => `coalesce(${compare("filter_text(s.v)", each)}, false)`);
  return someText(
    affix["equals-ignore-case"],
    (each) => `coalesce(${compare("filter_fold_case(filter_text(s.v))", foldCase(each))}, false)`,
  );
}

function someText(texts: Texts, compile: (text: string) => string): string {
  return anyOf(listOf<string>(texts).map(compile));
}

function inRange<Bound>(
  value: string,
  [first, bound, second, otherBound]: Range<Bound>,
  write: (bound: Bound) => string,
): string {
  const conditions = [`${value} ${first} ${write(bound)}`];
  if (second !== undefined && otherBound !== undefined) conditions.push(`${value} ${second} ${write(otherBound)}`);
  return `coalesce(${conditions.join(" and ")}, false)`;
}

function normalizeCidr(text: string): string {
  const range = parseCidr(text);
  return range === undefined ? text : writeCidr(range);
}
