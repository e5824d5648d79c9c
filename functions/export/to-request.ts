import type { NewExport } from "../core/export-bodies.ts";
import { RequestError } from "../core/errors.ts";
import { parseFilter } from "../core/filter/filter.ts";
import { isJsonObject, parseLossless } from "../core/lossless-json.ts";
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
  return { ...body, filter: filterText(text) };
}

function filterText(text: Uint8Array): string | undefined {
  const { lossless } = parseLossless(new TextDecoder().decode(text));
  const filter = isJsonObject(lossless) ? lossless["filter"] : undefined;
  return filter === undefined ? undefined : JSON.stringify(parseFilter(filter));
}
