import { RequestError } from "../errors.ts";
import { isJsonObject, JsonLimitError, parseLossless } from "../lossless-json.ts";
import { type Filter, parseFilter } from "./filter.ts";

/**
 * Reads the member `filter` of a body that readBody has accepted. It is read from the text, because its numbers may have
 * more digits than a double keeps.
 * @throws RequestError `bad_filter`; `malformed_body` for a body that is nested too deep
 */
export function filterFromBody(body: Uint8Array): Filter | undefined {
  const parsed = parse(new TextDecoder().decode(body));
  const filter = isJsonObject(parsed) ? parsed["filter"] : undefined;
  return filter === undefined ? undefined : parseFilter(filter);
}

function parse(text: string): unknown {
  try {
    return parseLossless(text).lossless;
  } catch (cause) {
    if (!(cause instanceof JsonLimitError)) throw cause;
    throw new RequestError("malformed_body", "The body is nested too deep.", { cause });
  }
}
