import * as z from "zod/mini";

/**
 * Patterns of event types and sources: the text itself, or its beginning with `*` behind it, for example `com.example.*`.
 * `*` alone matches every text.
 */

/** The schema of a pattern for texts of at most so many bytes. */
export function pattern(maxBytes: number) {
  const error = `is no pattern: a text of 1 to ${maxBytes} bytes, or the beginning of one with * behind it`;
  return z.string(error).check(
    z.refine((text) => /^(?:[^*]+\*?|\*)$/.test(text) && text.isWellFormed() && !text.includes("\u0000"), error),
    z.refine((text) => new TextEncoder().encode(text).length <= maxBytes, error),
  );
}

/** Tells whether one of several patterns matches a text. Without patterns every text is matched, with none of them no text. */
export function matchesAny(patterns: readonly string[] | undefined, text: string): boolean {
  return patterns === undefined || patterns.some((each) => matches(each, text));
}

/** Tells whether every text that the inner patterns match is matched by one of the outer patterns. */
export function coversAll(outer: readonly string[] | undefined, inner: readonly string[] | undefined): boolean {
  if (outer === undefined) return true;
  return inner?.every((each) => covers(outer, each)) ?? false;
}

/** A beginning is covered by a shorter or equal beginning only: no list of whole texts has all the texts that it matches. */
function covers(outer: readonly string[], inner: string): boolean {
  if (!inner.endsWith("*")) return matchesAny(outer, inner);
  const beginnings = outer.filter((each) => each.endsWith("*"));
  return matchesAny(beginnings, inner.slice(0, -1));
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : pattern === text;
}
