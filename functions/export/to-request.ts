import type { NewExport } from "../core/export-bodies.ts";
import { RequestError } from "../core/errors.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import type { ExportRequest } from "./export.ts";

/**
 * Checks what the schema of a body does not: the order of its times, and its filter, which is read from the text of the body
 * because its numbers may have more digits than a double keeps.
 * @throws RequestError `bad_filter`, `malformed_body`
 */
export function toRequest({ filter: _parsed, ...body }: Omit<NewExport, "plan">, text: Uint8Array): ExportRequest {
  const { from, to } = body;
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to)) {
    throw new RequestError("malformed_body", "The body is not valid: to: is not after from, so no event can match.");
  }
  const filter = filterFromBody(text);
  return { ...body, filter: filter && JSON.stringify(filter) };
}
