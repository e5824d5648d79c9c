import type { AggregateScan } from "./aggregate-reader.ts";
import type { Filter } from "./filter/filter.ts";

/**
 * Tells whether rollups could answer: they know types, sources and minutes of events, and the numbers of places that the
 * catalog declares. The database knows since when it does so.
 */
export function fitsRollups({ filter, fields, from, to, measures }: AggregateScan): boolean {
  return (
    (filter === undefined || asksOnlyFor(KNOWN, filter)) &&
    fields.every((field) => typeof field === "string" && KNOWN.has(field)) &&
    [from, to].every((instant) => instant.endsWith(":00.000000Z")) &&
    measures.every((measure) => measure === "count" || measure.path.length > 0)
  );
}

const KNOWN: ReadonlySet<string> = new Set(["type", "source"]);

function asksOnlyFor(attributes: ReadonlySet<string>, filter: Filter): boolean {
  if ("all" in filter) return filter.all.every((each) => asksOnlyFor(attributes, each));
  if ("any" in filter) return filter.any.every((each) => asksOnlyFor(attributes, each));
  if ("not" in filter) return asksOnlyFor(attributes, filter.not);
  if ("data" in filter) return false;
  const compared = "exact" in filter ? filter.exact : "prefix" in filter ? filter.prefix : filter.suffix;
  return Object.keys(compared).every((name) => attributes.has(name));
}
