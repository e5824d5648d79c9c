import type { Filter } from "./filter.ts";

/**
 * Finds the values of an attribute of which every event that passes a filter has one, each once. Returns undefined where the
 * filter needs none of some values.
 */
export function neededValues(filter: Filter, attribute: string): string[] | undefined {
  const values = collect(filter, attribute);
  return values && [...new Set(values)];
}

function collect(filter: Filter, attribute: string): string[] | undefined {
  if ("exact" in filter) {
    const value = Object.hasOwn(filter.exact, attribute) ? filter.exact[attribute] : undefined;
    return value === undefined ? undefined : [String(value)];
  }
  if ("all" in filter) {
    for (const each of filter.all) {
      const values = collect(each, attribute);
      if (values !== undefined) return values;
    }
    return undefined;
  }
  if (!("any" in filter)) return undefined;
  const all = filter.any.map((each) => collect(each, attribute));
  return all.every((values) => values !== undefined) ? all.flat() : undefined;
}
