import { RequestError } from "../../core/errors.ts";

/** The place behind which a page of numbered rows begins; null for the first page. @throws RequestError `bad_cursor` */
export function toPlace(after: string | undefined): string | null {
  if (after === undefined) return null;
  if (/^[1-9]\d{0,17}$/.test(after)) return after;
  throw new RequestError(
    "bad_cursor",
    "The cursor is none of this list. Send the `next` of an answer, or begin without one.",
  );
}
