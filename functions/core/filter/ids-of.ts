import type { Filter } from "./filter.ts";
import { neededValues } from "./needed-values.ts";
import { FILTER_LIST_MAX_ITEMS } from "../filter-limits.ts";

/**
 * Finds the ids of which every event that passes a filter has one, so that the events are looked up and not searched.
 * Returns undefined where there are none, or too many.
 */
export function idsOf(filter: Filter | undefined): string[] | undefined {
  const ids = filter && neededValues(filter, "id");
  return ids === undefined || ids.length > FILTER_LIST_MAX_ITEMS ? undefined : ids;
}
