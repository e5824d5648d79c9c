import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";

/** A line of a file: its number, counted from 1, and its text; or why it has none. */
export type TextLine = { line: number; text: string } | { line: number; why: string };

/**
 * Reads the lines of a file of any size (`-` is stdin) without its line ends, a byte order mark and blank lines. Bytes that
 * are not UTF-8 are never replaced by other characters; a line of more than `maxBytes` is not kept in memory. The signal
 * ends the reading where it is.
 * @throws Error that says what to do about a file that cannot be read, is compressed or is UTF-16
 */
export async function* readLines(file: string, maxBytes: number, signal?: AbortSignal): AsyncGenerator<TextLine> {
  let line = 0;
  for await (const bytes of splitLines(readChunks(file, signal), maxBytes, signal)) {
    line += 1;
    if (bytes === undefined) {
      yield { line, why: `has more than ${maxBytes} bytes, the limit of a request` };
      continue;
    }
    const text = decode(bytes, line === 1 ? UTF8 : UTF8_WITHIN)?.replace(WHITE_SPACE, "");
    if (text === undefined) yield { line, why: "is not valid UTF-8; save the file as UTF-8" };
    else if (text !== "") yield { line, text };
  }
}

async function* readChunks(file: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  if (file === "-" && process.stdin.isTTY) process.stderr.write("Reads from the terminal; Ctrl-D ends the input\n");
  const stream: Readable = file === "-" ? process.stdin : createReadStream(file);
  signal?.addEventListener("abort", () => stream.destroy());
  let isFirst = true;
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk as Buffer | string);
      if (isFirst) refuseOtherFormats(file, bytes);
      isFirst = false;
      yield bytes;
    }
  } catch (error) {
    if (signal?.aborted) return;
    throw readError(file, error);
  }
}

/** The error of a file that cannot be read, in plain words. */
export function readError(file: string, error: unknown): unknown {
  const why = CANNOT_READ[(error as NodeJS.ErrnoException).code ?? ""];
  return why === undefined ? error : new Error(`${file} ${why}`, { cause: error });
}

const CANNOT_READ: Record<string, string> = {
  ENOENT: "does not exist.",
  ENOTDIR: "does not exist.",
  EISDIR: "is a folder. Name a file.",
  EACCES: "may not be read by this user.",
};

/** @see https://www.rfc-editor.org/rfc/rfc1952 (gzip), https://www.rfc-editor.org/rfc/rfc8878 (zstd) */
const FORMATS: readonly { first: number[]; advice: (file: string) => string }[] = [
  {
    first: [0x1f, 0x8b],
    advice: (file) => `is compressed by gzip. Send \`gzip -dc ${file}\` to stdin and name - as the file.`,
  },
  {
    first: [0x28, 0xb5, 0x2f, 0xfd],
    advice: (file) => `is compressed by zstd. Send \`zstd -dc ${file}\` to stdin and name - as the file.`,
  },
  { first: [0x50, 0x4b, 0x03, 0x04], advice: () => "is a zip archive. Unpack it first." },
  { first: [0xff, 0xfe], advice: () => "is UTF-16. Save it as UTF-8." },
  { first: [0xfe, 0xff], advice: () => "is UTF-16. Save it as UTF-8." },
];

function refuseOtherFormats(file: string, bytes: Buffer): void {
  const found = FORMATS.find(({ first }) => bytes.subarray(0, first.length).equals(Buffer.from(first)));
  if (found !== undefined) throw new Error(`${file === "-" ? "The input" : file} ${found.advice(file)}`);
}

/** Splits bytes at line feeds; no character of UTF-8 has that byte in it. A line that is too long is undefined. */
async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  const add = (bytes: Buffer) => {
    length += bytes.length;
    if (length <= maxBytes) parts.push(bytes);
    else parts = [];
  };
  const take = () => {
    const line = length <= maxBytes ? Buffer.concat(parts) : undefined;
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let rest = chunk;
    for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED)) {
      add(rest.subarray(0, end));
      yield take();
      rest = rest.subarray(end + 1);
    }
    add(rest);
  }
  // A reading that was stopped may end within a line.
  if (length > 0 && !signal?.aborted) yield take();
}

const LINE_FEED = 0x0a;

/** White space of JSON at both ends. */
const WHITE_SPACE = /^[ \t\r]+|[ \t\r]+$/g;

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
