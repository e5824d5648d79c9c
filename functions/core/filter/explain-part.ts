import { jsonPointer } from "../json-pointer.ts";
import type { Node } from "./alternatives.ts";
import { FAILS, nodeTest, objectsOf, scalarsOf } from "./predicate.ts";
import { shorten, type Reason } from "./reason.ts";

/** Values that a reason names; an array may have thousands. */
const VALUES_MAX = 3;

/**
 * Explains why a part of a pattern does not match any of the values: those that the elements of the arrays above have, or
 * `undefined` for an element that lacks it.
 */
export function explainPart(node: Node, values: unknown[]): Reason[] {
  const test = nodeTest(node);
  if (values.some((value) => test(value) !== FAILS)) return [];
  if (node.kind === "leaf") return [{ pointer: jsonPointer(node.path), message: describe(node.conditions, values) }];
  const objects = values.flatMap(objectsOf);
  const inside = [...node.members].flatMap(([key, member]) =>
    explainPart(
      member,
      objects.length === 0 ? [undefined] : objects.map((each) => (Object.hasOwn(each, key) ? each[key] : undefined)),
    ),
  );
  if (inside.length > 0) return inside;
  return [{ pointer: jsonPointer(node.path), message: node.optional ? NOT_IN_ALL : NOT_IN_ONE }];
}

const NOT_IN_ONE = "each condition below holds for an element of the array, but no single element meets all of them";
const NOT_IN_ALL = "some elements of the array have a value that must be missing in all of them";

function describe(conditions: readonly unknown[], values: unknown[]): string {
  const seen = values.flatMap(scalarsOf);
  const wanted = shorten(JSON.stringify(conditions));
  if (seen.length === 0) {
    const other = values.some((value) => value !== undefined) ? "an object or an empty array" : "nothing";
    return `must meet one of ${wanted}; the event has ${other} there`;
  }
  const more = seen.length > VALUES_MAX ? ` and ${seen.length - VALUES_MAX} more` : "";
  return `must meet one of ${wanted}; the event has ${seen
    .slice(0, VALUES_MAX)
    .map((each) => shorten(JSON.stringify(each)))
    .join(", ")}${more}`;
}
