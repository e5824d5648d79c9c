import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { MESSAGE_MAX_BYTES } from "./queue-limits.ts";

/**
 * The text of an envelope as the body of a message, behind a mark: plain, or compressed by zstd and written as base64. Both forms are
 * read for ever, and so is an envelope without a mark, which begins with `{`. A body with a mark is no JSON: an intermediary that parses
 * JSON and writes it again, which rounds numbers to doubles, leaves it alone.
 */
const PLAIN = "json:";
const COMPRESSED = "zstd,base64:";

/**
 * Shorter texts stay plain: compressing one costs as much processor time (0.05 ms) as the SDK needs to write 2 KB, and base64 takes
 * back a third of what is saved. An event alone can be read in the queue.
 */
export const COMPRESS_FROM_BYTES = 4 * 1024;

/** On real events as small as level 1 and no slower (docs/decisions/0038-compressed-messages.md). */
const LEVEL = 3;

/**
 * The body of a message with this text, which is compressed where that makes it smaller. A text that is no envelope, and one that
 * leaves no room for the mark, is a body as it is.
 */
export function toMessageBody(text: string): string {
  if (!text.startsWith("{")) return text;
  const plain = Buffer.from(text);
  if (plain.length < COMPRESS_FROM_BYTES) return PLAIN + text;
  const body =
    COMPRESSED + zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } }).toString("base64");
  if (body.length < plain.length) return body;
  return plain.length + PLAIN.length > MESSAGE_MAX_BYTES ? text : PLAIN + text;
}

export type MessageText = {
  /** The text behind the mark; the body itself where it has none, or cannot be read. */
  text: string;
  /** The reason why a compressed body has no text. */
  fault?: string;
};

/**
 * The text of a message's body. Anybody who may write to the queue may send a few bytes that inflate to gigabytes, so no text is longer
 * than that of a plain message.
 */
export function textOfMessage(body: string): MessageText {
  if (body.startsWith(PLAIN)) return { text: body.slice(PLAIN.length) };
  if (!body.startsWith(COMPRESSED)) return { text: body };
  try {
    const compressed = Buffer.from(body.slice(COMPRESSED.length), "base64");
    const plain = zstdDecompressSync(compressed, { maxOutputLength: MESSAGE_MAX_BYTES });
    return { text: utf8.decode(plain) };
  } catch (error) {
    const isTooLarge = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
    const fault = isTooLarge
      ? `Its compressed text is longer than ${MESSAGE_MAX_BYTES} bytes.`
      : "Its compressed text cannot be read.";
    return { text: body, fault };
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
