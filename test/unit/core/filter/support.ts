import { RequestError } from "../../../../functions/core/errors.ts";
import { parseFilter } from "../../../../functions/core/filter/filter.ts";
import { toPredicate } from "../../../../functions/core/filter/predicate.ts";
import { parseLossless } from "../../../../functions/core/lossless-json.ts";

/** Reads JSON as a request body is read: every number with its digits. */
export const json = (text: string): unknown => parseLossless(text).lossless;

export function matches(filter: unknown, event: Record<string, unknown>): boolean {
  return toPredicate(parseFilter(filter))(event);
}

/** Tells whether the pattern of the dialect data matches the data of an event. */
export function dataMatches(pattern: unknown, data: unknown): boolean {
  return matches({ data: pattern }, { id: "1", data });
}

/** The pointer and the detail of the error of a filter; undefined for one that is valid. */
export function faultOf(filter: unknown): { pointer: unknown; detail: string } | undefined {
  try {
    parseFilter(filter);
    return undefined;
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== "bad_filter") throw error;
    return { pointer: error.members["pointer"], detail: error.message };
  }
}
