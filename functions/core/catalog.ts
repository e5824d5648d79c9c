import type * as z from "zod";
import type { Retention } from "./retention.ts";

/** One version of an event type: a file of catalog/. Fields that the schema does not name are kept. */
export type EventType = {
  /** The file, for messages: `catalog/order-placed.ts`. */
  file: string;
  /** The CloudEvents attribute `type`. */
  type: string;
  /** Names the version in an event. Only the oldest version of a type may have none. */
  dataschema?: string | undefined;
  /** The schema of the event's `data`. */
  data: z.ZodType;
  /** JSON Pointers into `data` to numbers of which rollups are kept. @default none */
  measures?: readonly string[] | undefined;
  /** JSON Pointers into `data` to values by which events are found. @default none */
  indexed?: readonly string[] | undefined;
  /** For how long events of the type are kept; the same in all versions that say so. @default that of the stage */
  retention?: Retention | undefined;
};

/** Type to its versions, oldest first: an event without `dataschema` means the oldest. */
export type Catalog = ReadonlyMap<string, readonly EventType[]>;

/** The treatments of an event whose type, or version of its type, is not in the catalog. */
export const UNKNOWN_EVENTS = ["accept", "refuse"] as const;

export type UnknownEvents = (typeof UNKNOWN_EVENTS)[number];

/** @param eventTypes in the order of `inVersionOrder`, which is the order of the versions of a type */
export function toCatalog(eventTypes: readonly EventType[]): Catalog {
  return Map.groupBy(eventTypes, ({ type }) => type);
}

/** The version that an event means: without a `dataschema` the oldest; undefined where the type has no such version. */
export function findVersion(versions: readonly EventType[], dataschema: unknown): EventType | undefined {
  return versions.find((version) => dataschema === undefined || version.dataschema === dataschema);
}

/** The names of the versions that have one. */
export function dataschemasOf(versions: readonly EventType[]): string[] {
  return versions.flatMap(({ dataschema }) => dataschema ?? []);
}

/**
 * Sorts the files of catalog/ by their names without the ending, and numbers in them by value: `order.ts`, `order-2.ts`,
 * `order-10.ts`. With the ending, `order-2.ts` would come before `order.ts` and be the version of events that name none.
 */
export function inVersionOrder(files: readonly string[]): string[] {
  const byNumber = new Intl.Collator("en", { numeric: true });
  const stem = (file: string) => file.replace(/\.ts$/, "");
  return files.toSorted((a, b) => byNumber.compare(stem(a), stem(b)) || (a < b ? -1 : 1));
}
