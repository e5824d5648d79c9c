import { FILTER_QUOTE_MAX_CHARACTERS } from "../filter-limits.ts";

/** A part of a filter that an event does not match: its JSON Pointer, and the reason with the value that the event has. */
export type Reason = { pointer: string; message: string };

/** A text in quotes, shortened. */
export function quote(text: string): string {
  return shorten(JSON.stringify(text.slice(0, FILTER_QUOTE_MAX_CHARACTERS + 1)));
}

/** A JSON text without its end where it is long. */
export function shorten(json: string): string {
  return json.length > FILTER_QUOTE_MAX_CHARACTERS
    ? `${json.slice(0, FILTER_QUOTE_MAX_CHARACTERS).toWellFormed()}…`
    : json;
}
