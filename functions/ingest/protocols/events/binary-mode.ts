import { RequestError } from "../../../core/errors.ts";
import type { HttpRequest } from "../../../core/http.ts";
import type { Candidate } from "../../../core/candidate.ts";
import { parse } from "./json.ts";
import { isJson, isText, type MediaType } from "../media-type.ts";

const PREFIX = "ce-";

/**
 * Tells whether the headers carry an event's attributes.
 * @throws RequestError `bad_header` for attributes without `ce-specversion`, which would otherwise be lost
 */
export function isBinaryMode(headers: Record<string, string | undefined>): boolean {
  if (headers["ce-specversion"] !== undefined) return true;
  const attribute = Object.keys(headers).find((name) => name.startsWith(PREFIX));
  if (attribute === undefined) return false;
  throw new RequestError(
    "bad_header",
    `There is ${attribute}, but no ce-specversion. Send ce-specversion: 1.0 for an event in binary mode, or no ce- header.`,
  );
}

/**
 * Decodes a CloudEvent in binary mode: its attributes are in `ce-` headers, its data is the body. JSON becomes JSON data,
 * text a string, everything else `data_base64`; an empty body means no data.
 * @throws RequestError `bad_header`, and `malformed_body` for JSON data that cannot be decoded
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode
 */
export function decodeBinaryMode(
  { headers, repeatedHeaders }: Pick<HttpRequest, "headers" | "repeatedHeaders">,
  mediaType: MediaType | undefined,
  bytes: Uint8Array,
  text: () => string,
): Candidate[] {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(PREFIX) || value === undefined) continue;
    if (repeatedHeaders.includes(name))
      throw new RequestError("bad_header", `The header ${name} is there more than once. Send it once.`);
    const attribute = name.slice(PREFIX.length);
    if (NOT_IN_HEADERS.has(attribute)) {
      throw new RequestError("bad_header", `The header ${name} is no attribute in binary mode. The body is the data.`);
    }
    attributes[attribute] = decodeValue(name, value);
  }
  const contentType = headers["content-type"];
  if (contentType !== undefined) {
    if (repeatedHeaders.includes("content-type"))
      throw new RequestError("bad_header", "The header content-type is there more than once. Send it once.");
    if (!PRINTABLE_ASCII.test(contentType)) {
      throw new RequestError("bad_header", "The header content-type is not printable ASCII. Send a media type.");
    }
    if (mediaType === undefined)
      throw new RequestError("bad_header", "The header content-type is no media type. Send one, such as text/plain.");
    attributes["datacontenttype"] = contentType;
  }
  const data = decodeData(mediaType, bytes, text);
  const value = { ...attributes, ...data.value };
  return [{ kind: "event", form: "cloudevent", value, lossless: { ...attributes, ...data.lossless } }];
}

function decodeData(mediaType: MediaType | undefined, bytes: Uint8Array, text: () => string) {
  if (bytes.byteLength === 0) return { value: {}, lossless: {} };
  if (mediaType !== undefined && isJson(mediaType)) {
    // A byte order mark does not belong to JSON (RFC 8259 section 8.1).
    const { value, lossless } = parse(text().replace(/^\uFEFF/, ""));
    return { value: { data: value }, lossless: { data: lossless } };
  }
  const data =
    mediaType !== undefined && isText(mediaType)
      ? { data: text() }
      : { data_base64: Buffer.from(bytes).toString("base64") };
  return { value: data, lossless: data };
}

/** Attributes that the body and its content type give in binary mode, and a name that would not become a member. */
const NOT_IN_HEADERS = new Set(["data", "data_base64", "datacontenttype", "__proto__"]);

/**
 * Decodes a header value: quotes around the whole value are undone, then one round of percent-encoding. Bytes outside ASCII
 * are refused: one transport hands them over as Latin-1, another as UTF-8, and they look alike. A percent sign
 * without two hexadecimal digits stays, because the JavaScript SDK encodes nothing (docs/decisions/0010).
 * @throws RequestError `bad_header`
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values
 */
function decodeValue(name: string, value: string): string {
  if (!PRINTABLE_ASCII.test(value)) {
    throw new RequestError(
      "bad_header",
      `The header ${name} is not printable ASCII. Percent-encode other characters as UTF-8, for example caf%C3%A9.`,
    );
  }
  const unquoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? value;
  return unquoted.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch (cause) {
      throw new RequestError(
        "bad_header",
        `The header ${name} has percent-encoded bytes that are not UTF-8. Encode characters as UTF-8, and a percent sign as %25.`,
        { cause },
      );
    }
  });
}

/** All that a header value may hold (the section that `decodeValue` names): with spaces, which older senders do not encode. */
const PRINTABLE_ASCII = /^[ -~]*$/;
