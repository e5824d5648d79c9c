import {
  FILTER_LIST_MAX_ITEMS,
  FILTER_MAX_ALTERNATIVES,
  FILTER_MAX_PATH_STEPS,
  FILTER_TEXT_MAX_BYTES,
} from "../filter-limits.ts";
import { fitsUtf8 } from "../fits-utf8.ts";
import { isJsonObject } from "../lossless-json.ts";
import { OR, toAlternatives, type Node } from "./alternatives.ts";
import { checkCondition } from "./check-condition.ts";
import type { Pattern } from "./filter.ts";
import { countCondition, refuse, type Count, type Path } from "./refuse.ts";

/** Checks the pattern of the dialect data, whose place is `root`. @throws RequestError `bad_filter` */
export function checkPattern(value: unknown, root: Path, count: Count): void {
  // As they are written, so that not too many combinations are made of them.
  const alternatives = checkPart(value, root, 0, { conditions: 0, values: 0 });
  if (alternatives > FILTER_MAX_ALTERNATIVES) {
    refuse(
      root,
      `has ${OR} in ${alternatives} combinations; the limit is ${FILTER_MAX_ALTERNATIVES}: use several filters in any`,
    );
  }
  for (const node of toAlternatives(value as Pattern, root)) countLeaves(node, count);
}

function countLeaves(node: Node, count: Count): void {
  if (node.kind === "leaf")
    countCondition(
      count,
      node.path,
      node.conditions.reduce<number>((sum, each) => sum + valuesOf(each), 0),
    );
  else for (const member of node.members.values()) countLeaves(member, count);
}

/** The values that a condition compares with: those of the list that anything-but may have, or one. */
function valuesOf(condition: unknown): number {
  if (Array.isArray(condition)) return condition.length;
  return isJsonObject(condition) ? Math.max(1, ...Object.values(condition).map(valuesOf)) : 1;
}

/** Checks a part of a pattern, `steps` keys below data. Returns the number of ways to choose members of its `$or`. */
function checkPart(value: unknown, path: Path, steps: number, count: Count): number {
  if (Array.isArray(value)) {
    countCondition(count, path, value.length);
    checkItems(value, path, 1, "conditions").forEach((each, i) => checkCondition(each, [...path, i]));
    return 1;
  }
  if (!isJsonObject(value)) {
    return refuse(path, "must be a list of conditions, as in [5], or an object with the patterns of its members");
  }
  const entries = Object.entries(value);
  if (entries.length === 0) refuse(path, 'is empty; name a member, as in {"key": [5]}');
  let alternatives = 1;
  for (const [key, part] of entries) {
    const place = [...path, key];
    alternatives *= key === OR ? checkOr(part, place, steps, count) : checkMember(key, part, place, steps + 1, count);
  }
  return alternatives;
}

function checkMember(key: string, value: unknown, path: Path, steps: number, count: Count): number {
  if (steps > FILTER_MAX_PATH_STEPS) refuse(path, `is more than ${FILTER_MAX_PATH_STEPS} keys below data`);
  if (!fitsUtf8(key, FILTER_TEXT_MAX_BYTES)) refuse(path, `has a key of more than ${FILTER_TEXT_MAX_BYTES} bytes`);
  if (!Array.isArray(value) && !isJsonObject(value) && OPERATORS.has(key)) {
    refuse(path, `is an operator outside a list; write [{"${key}": …}]`);
  }
  return checkPart(value, path, steps, count);
}

/** Names that are rather a forgotten list than a key of the data. */
const OPERATORS = new Set(["prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "cidr", "exists"]);

function checkOr(value: unknown, path: Path, steps: number, count: Count): number {
  if (!Array.isArray(value)) return refuse(path, "must be a list of two or more patterns that are objects");
  return checkItems(value, path, 2, "patterns")
    .map((each, i) => {
      if (!isJsonObject(each)) refuse([...path, i], 'must be an object with a pattern, as in {"key": [5]}');
      return checkPart(each, [...path, i], steps, count);
    })
    .reduce((sum, alternatives) => sum + alternatives, 0);
}

function checkItems(value: unknown[], path: Path, least: number, what: string): unknown[] {
  if (value.length < least) refuse(path, `must have at least ${least} ${least === 1 ? what.slice(0, -1) : what}`);
  if (value.length > FILTER_LIST_MAX_ITEMS)
    refuse(path, `has ${value.length} ${what}; the limit is ${FILTER_LIST_MAX_ITEMS}`);
  return value;
}
