import { createReadStream } from "node:fs";

/** A line of a file: its number, counted from 1, and its text; undefined where its bytes are not UTF-8. */
export type TextLine = { line: number; text: string | undefined };

/**
 * Reads the lines of a file of any size (`-` is stdin) without its line ends, a byte order mark and blank lines. Bytes that
 * are not UTF-8 are never replaced by other characters.
 */
export async function* readLines(file: string): AsyncGenerator<TextLine> {
  let line = 0;
  for await (const bytes of splitLines(file === "-" ? process.stdin : createReadStream(file))) {
    line += 1;
    const text = decode(bytes, line === 1 ? UTF8 : UTF8_WITHIN);
    if (text?.trim() !== "") yield { line, text: text?.trim() };
  }
}

/** Splits bytes at line feeds; no character of UTF-8 has that byte in it. */
async function* splitLines(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk);
    for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED)) {
      yield Buffer.concat([...parts, rest.subarray(0, end)]);
      parts = [];
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) parts.push(rest);
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

const LINE_FEED = 0x0a;

/** Only the first line may have a byte order mark. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });
const UTF8_WITHIN = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decode(bytes: Buffer, decoder: typeof UTF8): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
