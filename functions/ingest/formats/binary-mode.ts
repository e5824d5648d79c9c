import { RequestError } from "../../core/errors.ts";
import type { Decoded } from "./candidate.ts";
import { parse } from "./json.ts";
import { isJson, isText, type MediaType } from "./media-type.ts";

const PREFIX = "ce-";

/** Whether the headers carry an event's attributes. */
export function isBinaryMode(headers: Record<string, string | undefined>): boolean {
  return headers["ce-specversion"] !== undefined;
}

/**
 * A CloudEvent in binary mode: attributes in `ce-` headers, the body is its data. JSON becomes JSON data, text becomes
 * a string, everything else `data_base64`; an empty body means no data.
 * @throws RequestError `bad_header`, and `malformed_body` for JSON data that cannot be decoded
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode
 */
export function decodeBinaryMode(
  headers: Record<string, string | undefined>,
  mediaType: MediaType | undefined,
  bytes: Uint8Array,
  text: () => string,
): Decoded {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(PREFIX) || value === undefined) continue;
    const attribute = name.slice(PREFIX.length);
    if (NOT_IN_HEADERS.has(attribute)) {
      throw new RequestError("bad_header", `The header ${name} is no attribute in binary mode. The body is the data.`);
    }
    attributes[attribute] = decodeValue(value);
  }
  if (headers["content-type"] !== undefined) attributes["datacontenttype"] = headers["content-type"];
  const data = decodeData(mediaType, bytes, text);
  const value = { ...attributes, ...data.value };
  return { candidates: [{ kind: "event", form: "cloudevent", value, exact: { ...attributes, ...data.exact } }] };
}

function decodeData(mediaType: MediaType | undefined, bytes: Uint8Array, text: () => string) {
  if (bytes.byteLength === 0) return { value: {}, exact: {} };
  if (mediaType !== undefined && isJson(mediaType)) {
    const { value, exact } = parse(text());
    return { value: { data: value }, exact: { data: exact } };
  }
  const data =
    mediaType !== undefined && isText(mediaType)
      ? { data: text() }
      : { data_base64: Buffer.from(bytes).toString("base64") };
  return { value: data, exact: data };
}

/** What the body and its content type say in binary mode, and a name that would not become a member. */
const NOT_IN_HEADERS = new Set(["data", "data_base64", "datacontenttype", "__proto__"]);

/**
 * A header value is percent-encoded where it is not printable ASCII, and may be quoted as a whole. What is no such
 * encoding stands for itself: the JavaScript SDK sends values as they are.
 */
function decodeValue(value: string): string {
  const unquoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? value;
  return unquoted.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}
