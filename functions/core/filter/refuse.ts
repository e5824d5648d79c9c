import { RequestError } from "../errors.ts";
import { FILTER_MAX_CONDITIONS, FILTER_MAX_VALUES } from "../filter-limits.ts";
import { jsonPointer } from "../json-pointer.ts";

/** The way from the filter's root to one of its parts. */
export type Path = readonly (string | number)[];

/** Conditions, and values in their lists, that were counted so far. */
export type Count = { conditions: number; values: number };

/** @throws RequestError `bad_filter` for the part at `path` */
export function refuse(path: Path, message: string): never {
  return refuseAt(jsonPointer(path), message);
}

/** @throws RequestError `bad_filter` for the part at a JSON Pointer */
export function refuseAt(pointer: string, message: string): never {
  throw new RequestError("bad_filter", `${pointer === "" ? "The filter" : pointer} ${message}.`, {
    members: { pointer },
  });
}

/** Counts a condition with so many values. @throws RequestError `bad_filter` for one too many */
export function countCondition(count: Count, path: Path, values: number): void {
  count.conditions += 1;
  count.values += values;
  if (count.conditions > FILTER_MAX_CONDITIONS) {
    refuse(
      path,
      `is one condition too many; a filter compares at most ${FILTER_MAX_CONDITIONS} attributes and paths${BY_OR}`,
    );
  }
  if (count.values > FILTER_MAX_VALUES) {
    refuse(path, `has too many values; all conditions together have at most ${FILTER_MAX_VALUES}${BY_OR}`);
  }
}

const BY_OR = ", each once for every combination of $or";
