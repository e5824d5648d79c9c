import type * as z from "zod";

/**
 * One version of an event type: its CloudEvents `type`, the `dataschema` that names the version, and the schema of its
 * `data`. Fields that the schema does not name are kept.
 */
export type EventType = { type: string; dataschema: string; data: z.ZodType };

/** Type to its versions, oldest first: an event without `dataschema` means the oldest. */
export type Catalog = ReadonlyMap<string, readonly EventType[]>;

/** @param eventTypes in the order of their files' names, which is the order of the versions of a type */
export function toCatalog(eventTypes: readonly EventType[]): Catalog {
  return Map.groupBy(eventTypes, ({ type }) => type);
}
