import type { Condition, Pattern, PatternObject } from "./filter.ts";
import { refuse, type Path } from "./refuse.ts";

/**
 * A pattern without `$or`, in the form that both compilers read. `optional`: every condition below may hold for a missing
 * value, so that no value is needed at all.
 */
export type Node = Leaf | Members;
type Leaf = {
  readonly kind: "leaf";
  readonly path: Path;
  readonly optional: boolean;
  readonly conditions: readonly Condition[];
};
type Members = {
  readonly kind: "members";
  readonly path: Path;
  readonly optional: boolean;
  readonly members: ReadonlyMap<string, Node>;
};

/** The member of a pattern that is no key of the data. */
export const OR = "$or";

/**
 * Resolves `$or`: the pattern holds where one of the alternatives does. Each has the conditions beside `$or` and those of
 * one of its members together, because they must hold for the same elements of arrays.
 * @param path the place of the pattern
 * @throws RequestError `bad_filter` where two conditions of one alternative have the same path
 */
export function toAlternatives(pattern: Pattern, path: Path): Node[] {
  return isList(pattern) ? [leafOf(pattern, path)] : alternativesOf(pattern, path);
}

function alternativesOf(pattern: PatternObject, path: Path): Members[] {
  let alternatives: Members[] = [membersOf(path, new Map())];
  for (const [key, part] of Object.entries(pattern)) {
    const inside = [...path, key];
    const choices =
      key === OR
        ? (part as readonly PatternObject[]).flatMap((each, i) => alternativesOf(each, [...inside, i]))
        : toAlternatives(part as Pattern, inside).map((node) => membersOf(path, new Map([[key, node]])));
    alternatives = alternatives.flatMap((each) => choices.map((choice) => merge(each, choice)));
  }
  return alternatives;
}

function merge(a: Members, b: Members): Members {
  const members = new Map(a.members);
  for (const [key, node] of b.members) {
    const other = members.get(key);
    if (other === undefined) members.set(key, node);
    else if (other.kind === "members" && node.kind === "members") members.set(key, merge(other, node));
    else
      refuse(
        node.path,
        `has a second condition for one path of data, beside ${OR}; join them into one list or use all`,
      );
  }
  return membersOf(a.path, members);
}

function membersOf(path: Path, members: ReadonlyMap<string, Node>): Members {
  return { kind: "members", path, members, optional: [...members.values()].every(({ optional }) => optional) };
}

function leafOf(conditions: readonly Condition[], path: Path): Leaf {
  return { kind: "leaf", path, conditions, optional: conditions.some(allowsAbsence) };
}

/** Tells whether a condition holds for a value that is missing. */
export function allowsAbsence(condition: Condition): boolean {
  return typeof condition === "object" && condition !== null && "exists" in condition && !condition.exists;
}

function isList(pattern: Pattern): pattern is readonly Condition[] {
  return Array.isArray(pattern);
}
