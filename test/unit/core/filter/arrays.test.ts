import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowsAbsence } from "../../../../functions/core/filter/alternatives.ts";
import type { Condition, Pattern, PatternObject } from "../../../../functions/core/filter/filter.ts";
import { leafTest } from "../../../../functions/core/filter/leaf-test.ts";
import { isJsonObject } from "../../../../functions/core/lossless-json.ts";
import { smallData, smallPattern } from "../../../support/small-patterns.ts";
import { dataMatches, faultOf } from "./support.ts";

/**
 * The same semantics in another way, as event-ruler has it: data is a list of fields, each with the element that it is in of
 * each array above it. A rule holds where a field can be chosen for each condition so that all are in the same element of
 * each array; a condition that holds by absence has no field in the chosen elements.
 */
type Field = { path: string; value: string | null; elements: Map<unknown, number> };
type Rule = [path: string, conditions: readonly Condition[]][];

function fieldsOf(value: unknown, path: string[] = [], elements = new Map<unknown, number>()): Field[] {
  if (Array.isArray(value)) {
    return value.flatMap((each: unknown, i) =>
      fieldsOf(each, path, isScalar(each) ? elements : new Map([...elements, [value, i]])),
    );
  }
  if (isJsonObject(value))
    return Object.entries(value).flatMap(([key, each]) => fieldsOf(each, [...path, key], elements));
  return [{ path: path.join("."), value: value as string | null, elements }];
}

const isScalar = (value: unknown) => !Array.isArray(value) && !isJsonObject(value);

function rulesOf(pattern: Pattern, path: string[] = []): Rule[] {
  if (Array.isArray(pattern)) return [[[path.join("."), pattern as readonly Condition[]]]];
  return Object.entries(pattern as PatternObject).reduce<Rule[]>(
    (rules, [key, part]) => {
      const choices =
        key === "$or"
          ? (part as PatternObject[]).flatMap((each) => rulesOf(each, path))
          : rulesOf(part as Pattern, [...path, key]);
      return rules.flatMap((rule) => choices.map((choice): Rule => [...rule, ...choice]));
    },
    [[]],
  );
}

function holds(rule: Rule, fields: Field[], chosen = new Map<unknown, number>(), absent: string[] = []): boolean {
  const [first, ...rest] = rule;
  if (first === undefined)
    return absent.every((path) =>
      fields.every((field) => field.path !== path || join(chosen, field.elements) === undefined),
    );
  const [path, conditions] = first;
  const matchesValue = leafTest(conditions);
  return (
    (conditions.some(allowsAbsence) && holds(rest, fields, chosen, [...absent, path])) ||
    fields.some((field) => {
      const next = field.path === path && matchesValue(field.value) ? join(chosen, field.elements) : undefined;
      return next !== undefined && holds(rest, fields, next, absent);
    })
  );
}

/** Both choices of elements; undefined where they differ for one array. */
function join(a: Map<unknown, number>, b: Map<unknown, number>): Map<unknown, number> | undefined {
  for (const [array, element] of b) if (a.has(array) && a.get(array) !== element) return undefined;
  return new Map([...a, ...b]);
}

describe("conditions below arrays", () => {
  it("conditions below arrays hold for the elements that a search through all fields finds", () => {
    const counts = { true: 0, false: 0 };
    fc.assert(
      fc.property(fc.array(smallData, { minLength: 8, maxLength: 8 }), smallPattern(3), (values, pattern) => {
        // A second condition for one path is refused.
        fc.pre(faultOf({ data: pattern }) === undefined);
        const rules = rulesOf(pattern);
        for (const data of values) {
          const expected = rules.some((rule) => holds(rule, fieldsOf(data)));
          counts[`${expected}`] += 1;

          expect(dataMatches(pattern, data), JSON.stringify(data)).toBe(expected);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(counts.true, counts.false)).toBeGreaterThan(1_000);
  });
});
