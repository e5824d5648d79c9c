import { gunzipSync } from "node:zlib";
import { RequestError } from "../../core/errors.ts";
import { REQUEST_MAX_BYTES } from "../../core/limits.ts";

/**
 * Undoes gzip and stops at the size limit of a body. A transport may have inflated the body and left the header, so the
 * first bytes decide: gzip begins with 1f 8b (RFC 1952 section 2.3.1), and no text does.
 * @throws RequestError `body_too_large`, `malformed_body`, `unsupported_media_type`
 */
export function inflate(contentEncoding: string | undefined, body: Uint8Array): Uint8Array {
  const encoding = contentEncoding?.trim().toLowerCase() ?? "identity";
  if (!["identity", "gzip", "x-gzip", "deflate", ""].includes(encoding)) {
    throw new RequestError(
      "unsupported_media_type",
      `The content encoding ${JSON.stringify(encoding)} is not supported. Send gzip, or none.`,
    );
  }
  if (!encoding.endsWith("gzip") || body[0] !== 0x1f || body[1] !== 0x8b) return body;
  try {
    return gunzipSync(body, { maxOutputLength: REQUEST_MAX_BYTES });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new RequestError(
        "body_too_large",
        `The body has more than ${REQUEST_MAX_BYTES} bytes when inflated, which is the limit. Split the events over several requests.`,
        { cause },
      );
    }
    throw new RequestError("malformed_body", "The body is not valid gzip, though its content encoding says so.", {
      cause,
    });
  }
}
