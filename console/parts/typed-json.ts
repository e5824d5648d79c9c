import { parseVerbatim } from "../../functions/core/lossless-json.ts";
import { KEEPS_DIGITS } from "./keeps-digits.ts";

/**
 * Parses JSON that a user has typed, so that its numbers are sent with the digits that they have.
 * @throws SyntaxError; Error in a browser that cannot keep them
 */
export function parseTyped(text: string): unknown {
  if (!KEEPS_DIGITS) throw new Error("This browser cannot keep the digits of numbers. Use a newer one.");
  return parseVerbatim(text);
}

/** The member `filter` of a body; nothing for a text that is empty. @throws as parseTyped */
export function filterMember(text: string): { filter?: unknown } {
  return text.trim() === "" ? {} : { filter: parseTyped(text) };
}
