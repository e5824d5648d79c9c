import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { BODY_LIMIT_BYTES, DISCARD_LIMIT_BYTES } from "./limits.ts";

export type RequestBody =
  | { kind: "body"; bytes: Buffer }
  /** More than 10 MB on the wire. */
  | { kind: "too large" }
  /** More than 10 MB once inflated. */
  | { kind: "inflates too large" }
  /** The content coding is not supported, or the body is not what it says. */
  | { kind: "unsupported encoding" }
  /** The client disconnected before it had sent everything. */
  | { kind: "aborted" };

const DECODERS: Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
};

/**
 * Reads a request's body and decodes gzip, deflate and identity, as REST APIs do for requests whatever the API's
 * `minimumCompressionSize`. Neither a large body nor a zip bomb uses more memory than twice the limit.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-make-request-with-compressed-payload.html
 */
export async function readBody(request: IncomingMessage): Promise<RequestBody> {
  const bytes = await receive(request);
  if (bytes === "aborted" || bytes === "too large") return { kind: bytes };

  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (bytes.length === 0 || encoding === "identity" || encoding === "") return { kind: "body", bytes };
  const decode = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (decode === undefined) return { kind: "unsupported encoding" };
  try {
    return { kind: "body", bytes: await decode(bytes, { maxOutputLength: BODY_LIMIT_BYTES }) };
  } catch (error) {
    const tooLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    return { kind: tooLarge ? "inflates too large" : "unsupported encoding" };
  }
}

/** Listeners cost a third of `for await` for the small bodies of the benchmark. */
function receive(request: IncomingMessage): Promise<Buffer | "too large" | "aborted"> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= BODY_LIMIT_BYTES) {
        chunks.push(chunk);
      } else {
        chunks = [];
        if (length > DISCARD_LIMIT_BYTES) resolve("too large");
      }
    });
    request.on("end", () => {
      if (length > BODY_LIMIT_BYTES) resolve("too large");
      else resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length));
    });
    request.on("error", () => resolve("aborted"));
    request.on("close", () => resolve("aborted"));
  });
}
