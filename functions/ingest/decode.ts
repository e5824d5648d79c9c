import { RequestError } from "../core/errors.ts";
import { REQUEST_MAX_BYTES, REQUEST_MAX_EVENTS } from "../core/limits.ts";
import { parseLossless } from "../core/lossless-json.ts";

/** An event as it stood in the body: parsed for checking, and with its numbers exact for storing. */
export type Candidate = { value: unknown; exact: unknown };

type Decoder = (text: string) => Candidate[];

/**
 * Splits a request body into events.
 * @throws RequestError `unsupported_media_type`, `body_too_large`, `too_many_events`, `malformed_body`
 */
export function decode(contentType: string | undefined, body: Uint8Array): Candidate[] {
  const decoder = decoderFor(contentType);
  if (body.byteLength > REQUEST_MAX_BYTES) {
    throw new RequestError(
      "body_too_large",
      `The body has ${body.byteLength} bytes, at most ${REQUEST_MAX_BYTES} are allowed. Split the events over several requests.`,
    );
  }
  const candidates = decoder(utf8(body));
  if (candidates.length > REQUEST_MAX_EVENTS) {
    throw new RequestError(
      "too_many_events",
      `The body has ${candidates.length} events, at most ${REQUEST_MAX_EVENTS} are allowed. Split them over several requests.`,
    );
  }
  if (candidates.length === 0) {
    throw new RequestError("malformed_body", "The body is an empty array. Send at least one event.");
  }
  return candidates;
}

/** Media type to decoder; a further format is a further line. Types compare without case (RFC 9110 section 8.3.1). */
const decoders: Record<string, Decoder> = { "application/json": decodeJson };

function decoderFor(contentType: string | undefined): Decoder {
  const [mediaType, ...parameters] = (contentType ?? "").split(";").map((part) => part.trim().toLowerCase());
  const decoder = Object.hasOwn(decoders, mediaType ?? "") ? decoders[mediaType ?? ""] : undefined;
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  if (decoder !== undefined && (charset === undefined || /^"?utf-8"?$/.test(charset))) return decoder;
  throw new RequestError(
    "unsupported_media_type",
    `The content type is ${contentType === undefined ? "missing" : JSON.stringify(contentType)}. Send one of: ${Object.keys(decoders).join(", ")} (UTF-8).`,
  );
}

/** Refuses bytes that are not UTF-8 instead of putting U+FFFD in their place; a byte order mark is taken off. */
function utf8(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (cause) {
    throw new RequestError("malformed_body", "The body is not valid UTF-8. Encode the JSON text as UTF-8.", { cause });
  }
}

/** One event object, or an array of them. */
function decodeJson(text: string): Candidate[] {
  let parsed: ReturnType<typeof parseLossless>;
  try {
    parsed = parseLossless(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof RangeError)) throw cause;
    const where = cause instanceof SyntaxError ? / at position \d+.*$/.exec(cause.message)?.[0] : undefined;
    throw new RequestError(
      "malformed_body",
      text.trim() === ""
        ? "The body is empty. Send an event or an array of events."
        : `The body is not JSON${where ?? ""}.`,
      { cause },
    );
  }
  const { value, exact } = parsed;
  if (!Array.isArray(value)) return [{ value, exact }];
  return value.map((each: unknown, index) => ({ value: each, exact: (exact as unknown[])[index] }));
}
