import { writePointer } from "../data-path.ts";
import { LOOKUP_MAX_KEYS } from "../list-limits.ts";
import { toAlternatives, type Node } from "./alternatives.ts";
import type { Filter, Scalar } from "./filter.ts";
import { isOperator } from "./leaf-test.ts";
import { neededValues } from "./needed-values.ts";

/** Types and fields that the filter needs: each event that passes has one of the types, and in each field one of its values. */
export type Lookup = { types: string[]; fields: Field[] };

/** A place in `data` as a JSON Pointer without the indexes of arrays. */
type Field = { pointer: string; values: Scalar[] };

/**
 * Finds the types and the values of fields by which an index may find all events that pass a filter. Returns undefined
 * where the filter names no whole type, or no field with whole values, or so many that the index would be no help.
 */
export function toLookup(filter: Filter): Lookup | undefined {
  const types = neededValues(filter, "type");
  if (types === undefined) return undefined;
  const fields = [...needed(filter)]
    .map(([pointer, values]) => ({ pointer, values: [...values.values()] }))
    .filter(({ values }) => types.length * values.length <= LOOKUP_MAX_KEYS);
  return fields.length === 0 ? undefined : { types, fields };
}

/** Pointer to values, these by their JSON text. */
type Needed = Map<string, Map<string, Scalar>>;

const NOTHING: Needed = new Map();

function needed(filter: Filter): Needed {
  if ("all" in filter) return filter.all.map(needed).reduce(all, NOTHING);
  if ("any" in filter) return filter.any.map(needed).reduce(any);
  return "data" in filter
    ? toAlternatives(filter.data, [])
        .map((node) => ofNode(node))
        .reduce(any)
    : NOTHING;
}

/** Both hold: each need is one. Of two for one place either is enough. */
function all(a: Needed, b: Needed): Needed {
  return new Map([...a, ...b]);
}

/** One of them holds: what both need is needed, with the values of either. */
function any(a: Needed, b: Needed): Needed {
  const both: Needed = new Map();
  for (const [pointer, values] of a) {
    const others = b.get(pointer);
    if (others !== undefined) both.set(pointer, new Map([...values, ...others]));
  }
  return both;
}

function ofNode(node: Node, path: readonly string[] = []): Needed {
  if (node.kind === "members") {
    return [...node.members].map(([key, member]) => ofNode(member, [...path, key])).reduce(all, NOTHING);
  }
  if (!node.conditions.every((condition): condition is Scalar => !isOperator(condition))) return NOTHING;
  const values = new Map(node.conditions.map((value) => [JSON.stringify(value), value] as const));
  return new Map([[writePointer(path), values]]);
}
