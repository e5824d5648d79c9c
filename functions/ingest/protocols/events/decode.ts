import { RequestError } from "../../../core/errors.ts";
import type { HttpRequest } from "../../../core/http.ts";
import { REQUEST_MAX_BYTES } from "../../../core/limits.ts";
import type { ingestRoutes } from "../../../routes/ingest.ts";
import { decodeBinaryMode, isBinaryMode } from "./binary-mode.ts";
import type { Candidate } from "../../../core/candidate.ts";
import { inflate } from "../inflate.ts";
import { decodeBatch, decodeCloudEvent, decodeJson, decodeLines } from "./json.ts";
import { type MediaType, parseMediaType } from "../media-type.ts";

/**
 * Splits a request body into events.
 * @throws RequestError `bad_header`, `unsupported_media_type`, `body_too_large`, `too_many_events`, `malformed_body`
 */
export function decode(request: Pick<HttpRequest, "headers" | "repeatedHeaders" | "body" | "inflated">): Candidate[] {
  const { headers, body, inflated } = request;
  const mediaType = parseMediaType(headers["content-type"]);
  const decoder = decoders[mediaType?.essence ?? ""];
  // In structured mode the headers may repeat the attributes of the body.
  const binaryMode = !mediaType?.essence.startsWith("application/cloudevents") && isBinaryMode(headers);
  checkSize(body);
  // Data in binary mode may be gzip itself, so there only the transport knows whether it is inflated.
  const bytes = inflated && binaryMode ? body : inflate(headers["content-encoding"], body);
  checkSize(bytes);

  const text = () => utf8(bytes, mediaType, binaryMode ? EXACT_UTF8 : UTF8);
  if (binaryMode) return decodeBinaryMode(request, mediaType, bytes, text);
  if (decoder === undefined) throw unsupported(headers["content-type"]);
  return decoder(text());
}

type Decoder = (text: string) => Candidate[];

/** One decoder for each content type of the route; any other content type is binary mode. */
const decoderOf: Record<Exclude<keyof typeof ingestRoutes.sendEvents.body.content, "*/*">, Decoder> = {
  "application/json": decodeJson,
  "application/x-ndjson": decodeLines,
  "application/cloudevents+json": decodeCloudEvent,
  "application/cloudevents-batch+json": decodeBatch,
};

const decoders: Record<string, Decoder | undefined> = Object.assign(Object.create(null), decoderOf);

function unsupported(contentType: string | undefined): RequestError {
  const given = contentType === undefined ? "missing" : JSON.stringify(contentType);
  return new RequestError(
    "unsupported_media_type",
    `The content type is ${given}. Send one of: ${Object.keys(decoders).join(", ")}; or any, with the attributes in ce- headers.`,
  );
}

function checkSize({ byteLength }: Uint8Array): void {
  if (byteLength <= REQUEST_MAX_BYTES) return;
  throw new RequestError(
    "body_too_large",
    `The body has ${byteLength} bytes, at most ${REQUEST_MAX_BYTES} are allowed. Split the events over several requests.`,
  );
}

/** Decodes UTF-8 and refuses other bytes instead of replacing them by U+FFFD. */
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

/** A byte order mark does not belong to a JSON text (RFC 8259 section 8.1), but belongs to data that is text. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });
const EXACT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
