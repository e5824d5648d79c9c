import { isJsonObject } from "../lossless-json.ts";
import { toAlternatives, type Node } from "./alternatives.ts";
import { attributeTest } from "./attribute-test.ts";
import { leafTest } from "./leaf-test.ts";
import type { Filter, Pattern, Scalar } from "./filter.ts";

/** An event as `GET /events/{id}` answers it and `parseLossless` reads it. */
export type FilterableEvent = Record<string, unknown>;

/** Compiles a filter to a test of events. to-sql.ts compiles it to SQL; a property test compares the two. */
export function toPredicate(filter: Filter): (event: FilterableEvent) => boolean {
  if ("exact" in filter) return everyAttribute("exact", filter.exact);
  if ("prefix" in filter) return everyAttribute("prefix", filter.prefix);
  if ("suffix" in filter) return everyAttribute("suffix", filter.suffix);
  if ("data" in filter) return patternTest(filter.data);
  if ("not" in filter) {
    const inner = toPredicate(filter.not);
    return (event) => !inner(event);
  }
  if ("all" in filter) {
    const tests = filter.all.map(toPredicate);
    return (event) => tests.every((test) => test(event));
  }
  const tests = filter.any.map(toPredicate);
  return (event) => tests.some((test) => test(event));
}

function everyAttribute(dialect: "exact" | "prefix" | "suffix", values: Record<string, string | number | boolean>) {
  const tests = Object.entries(values).map(([name, value]) => attributeTest(dialect, name, value));
  return (event: FilterableEvent) => tests.every((test) => test(event));
}

function patternTest(pattern: Pattern): (event: FilterableEvent) => boolean {
  const tests = toAlternatives(pattern, []).map(nodeTest);
  return (event) => tests.some((test) => test(event["data"]) !== FAILS);
}

/**
 * The result of a part of a pattern for a value. `exists: false` holds for the elements that the other conditions chose;
 * where nothing was chosen, no element at all may have the value. So a part that holds by absence alone must do so in
 * every element, and one that holds by a value in a single element.
 */
export type Match = typeof FAILS | typeof BY_ABSENCE | typeof BY_VALUE;
export const FAILS = 0;
const BY_ABSENCE = 1;
const BY_VALUE = 2;

/** Compiles a part of a pattern. The value is `undefined` where it is missing. */
export function nodeTest(node: Node): (value: unknown) => Match {
  if (node.kind === "leaf") {
    const holds = leafTest(node.conditions);
    return (value) => {
      const scalars = scalarsOf(value);
      if (scalars.length === 0) return node.optional ? BY_ABSENCE : FAILS;
      return scalars.some(holds) ? BY_VALUE : FAILS;
    };
  }
  const tests = [...node.members].map(([key, member]) => ({ key, test: nodeTest(member) }));
  return (value) => {
    let result: Match = node.optional ? BY_ABSENCE : FAILS;
    for (const object of objectsOf(value)) {
      const matches = tests.map(({ key, test }) => test(Object.hasOwn(object, key) ? object[key] : undefined));
      if (Math.min(...matches) === FAILS) result = FAILS;
      else if (Math.max(...matches) === BY_VALUE) return BY_VALUE;
    }
    return result;
  };
}

/** The objects that a value is, or that its arrays have, however deeply nested in arrays. */
export function objectsOf(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(objectsOf);
  return isJsonObject(value) ? [value] : [];
}

/** The same for texts, numbers, booleans and null. */
export function scalarsOf(value: unknown): Scalar[] {
  if (Array.isArray(value)) return value.flatMap(scalarsOf);
  return value === undefined || isJsonObject(value) ? [] : [value as Scalar];
}
