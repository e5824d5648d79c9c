import type { NewExport } from "../core/export-bodies.ts";
import { RequestError } from "../core/errors.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import { toMicroseconds } from "../core/instant.ts";
import { toSelection } from "../core/selection.ts";
import type { ExportRequest } from "./export.ts";

/**
 * Checks what the schema of a body does not: the order of its times, its paths, and its filter, which is read from the text
 * of the body because its numbers may have more digits than a double keeps.
 * @throws RequestError `bad_filter`, `malformed_body`
 */
export function toRequest({ filter: _parsed, ...body }: Omit<NewExport, "plan">, text: Uint8Array): ExportRequest {
  const { from, to, select } = body;
  const [first, end] = [from, to].map((time) => time && toMicroseconds(time));
  if (first !== undefined && end !== undefined && first >= end) refuse("from is not before to");
  if (select !== undefined) toSelection(select, (fault) => refuse(`select ${fault}`));
  const filter = filterFromBody(text);
  return { ...body, filter: filter && JSON.stringify(filter) };
}

function refuse(fault: string): never {
  throw new RequestError("malformed_body", `The body is not valid: ${fault}.`);
}
