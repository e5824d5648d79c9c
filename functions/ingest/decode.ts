import { RequestError } from "../core/errors.ts";
import { REQUEST_MAX_BYTES } from "../core/limits.ts";
import { decodeBinaryMode, isBinaryMode } from "./formats/binary-mode.ts";
import type { Decoded } from "./formats/candidate.ts";
import { inflate } from "./formats/inflate.ts";
import { decodeLines, decodeMany, decodeOne, decodeOneOrMany } from "./formats/json.ts";
import { type MediaType, parseMediaType } from "./formats/media-type.ts";

/**
 * Splits a request body into events.
 * @param headers names in lower case
 * @throws RequestError `unsupported_media_type`, `body_too_large`, `too_many_events`, `malformed_body`
 */
export function decode(headers: Record<string, string | undefined>, body: Uint8Array, inflated: boolean): Decoded {
  const mediaType = parseMediaType(headers["content-type"]);
  const decoder = decoders[mediaType?.essence ?? ""];
  const binaryMode = isBinaryMode(headers) && !mediaType?.essence.startsWith("application/cloudevents");
  checkSize(body);
  // Data in binary mode may be gzip itself; text never is, so there the bytes say whether they are inflated.
  const bytes = inflated && binaryMode ? body : inflate(headers["content-encoding"], body);
  checkSize(bytes);

  const text = () => utf8(bytes, mediaType, binaryMode ? EXACT_UTF8 : UTF8);
  if (binaryMode) return decodeBinaryMode(headers, mediaType, bytes, text);
  if (decoder === undefined) throw unsupported(headers["content-type"]);
  return decoder(text());
}

/** Media type to decoder; a further format is a further line. */
const decoders: Record<string, (text: string) => Decoded> = Object.assign(Object.create(null), {
  "application/json": (text: string) => decodeOneOrMany(text, "plain"),
  "application/x-ndjson": decodeLines,
  "application/cloudevents+json": (text: string) => decodeOne(text, "cloudevent"),
  "application/cloudevents-batch+json": (text: string) => decodeMany(text, "cloudevent"),
});

function unsupported(contentType: string | undefined): RequestError {
  const said = contentType === undefined ? "missing" : JSON.stringify(contentType);
  return new RequestError(
    "unsupported_media_type",
    `The content type is ${said}. Send one of: ${Object.keys(decoders).join(", ")}; or any, with the attributes in ce- headers.`,
  );
}

function checkSize({ byteLength }: Uint8Array): void {
  if (byteLength <= REQUEST_MAX_BYTES) return;
  throw new RequestError(
    "body_too_large",
    `The body has ${byteLength} bytes, at most ${REQUEST_MAX_BYTES} are allowed. Split the events over several requests.`,
  );
}

/** Refuses bytes that are not UTF-8 instead of putting U+FFFD in their place. */
function utf8(bytes: Uint8Array, mediaType: MediaType | undefined, decoder: typeof UTF8): string {
  const charset = mediaType?.charset ?? "utf-8";
  if (!["utf-8", "utf8", "us-ascii"].includes(charset)) {
    throw new RequestError(
      "unsupported_media_type",
      `The charset ${JSON.stringify(charset)} is not supported. Send UTF-8.`,
    );
  }
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new RequestError("malformed_body", "The body is not valid UTF-8.", { cause });
  }
}

/** A byte order mark is no part of a JSON text (RFC 8259 section 8.1), but it is of data that is text. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });
const EXACT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
