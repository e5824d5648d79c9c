import { endOfString } from "../../functions/core/end-of-string.ts";
import { endOfValue, skipSpace } from "../../functions/core/json-spans.ts";

/** The place of a value in a JSON text: its first character, and the one behind its last. */
export type Place = { start: number; end: number };

/**
 * Finds the value that a JSON Pointer (RFC 6901) names. Where it is missing, as a required member is, the value around it
 * is found.
 * @param json valid JSON
 */
export function placeOfPointer(json: string, pointer: string): Place {
  let start = skipSpace(json, 0);
  for (const step of pointer.split("/").slice(1)) {
    const next = partAt(json, start, step.replaceAll("~1", "/").replaceAll("~0", "~"));
    if (next === undefined) break;
    start = next;
  }
  return { start, end: endOfValue(json, start) };
}

/** The start of a member or element of the object or array at `start`. */
function partAt(json: string, start: number, step: string): number | undefined {
  const isObject = json[start] === "{";
  if (!isObject && json[start] !== "[") return undefined;
  let at = skipSpace(json, start + 1);
  for (let index = 0; at < json.length && json[at] !== "}" && json[at] !== "]"; index++) {
    let name = String(index);
    if (isObject) {
      const end = endOfString(json, at + 1) + 1;
      name = JSON.parse(json.slice(at, end)) as string;
      at = skipSpace(json, skipSpace(json, end) + 1);
    }
    if (name === step) return at;
    at = skipSpace(json, endOfValue(json, at));
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
  return undefined;
}
