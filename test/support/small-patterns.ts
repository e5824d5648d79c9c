import * as fc from "fast-check";
import type { PatternObject } from "../../functions/core/filter/filter.ts";

/** Data and patterns of three keys and three values, so that the conditions below arrays often hold for some elements. */

const key = fc.constantFrom("a", "b", "c");
const scalar = fc.constantFrom("x", "y", null);
export const { value: smallData } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  object: fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    { weight: 2, arbitrary: tie("object") },
    { weight: 2, arbitrary: fc.array(tie("object"), { maxLength: 3 }) },
    fc.array(tie("value"), { maxLength: 3 }),
  ),
}));

const conditions = fc.uniqueArray(
  fc.oneof(
    scalar,
    fc.boolean().map((exists) => ({ exists })),
    fc.constant({ "anything-but": "x" }),
  ),
  { minLength: 1, maxLength: 2 },
);
/** Objects of `depth` levels at most, and `$or` on each. */
export function smallPattern(depth: number): fc.Arbitrary<PatternObject> {
  const part: fc.Arbitrary<unknown> = depth === 1 ? conditions : fc.oneof(conditions, smallPattern(depth - 1));
  const members = fc.dictionary(key, part, { minKeys: 1, maxKeys: 2, noNullPrototype: true });
  return fc
    .tuple(members, fc.option(fc.tuple(members, members), { freq: 3 }))
    .map(([all, or]) => (or === null ? all : { ...all, $or: or }) as PatternObject);
}
