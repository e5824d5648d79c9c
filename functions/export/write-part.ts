import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { FileUpload } from "../core/export-job.ts";
import type { EventLines } from "../core/event-lines.ts";
import type { EventPage } from "../core/event-pages.ts";

/** The work of a step: a file of so many rows, and none where there are no rows. */
export type WrittenPart = {
  rows: number;
  /** Rows that were read. */
  scanned: number;
  bytes: number;
  sha256: string;
  horizon: string | undefined;
  /** The position of the next part; undefined at the end of the set. */
  next: string | undefined;
};

export type PartSource = {
  /** Reads the page behind another one. @throws DatabaseError */
  read: (horizon: string | undefined, after: string | undefined) => Promise<EventPage>;
  horizon: string | undefined;
  after: string | undefined;
};

/**
 * Writes pages of events into a compressed file until the set ends, or `isFull` says that it is enough. A page is in the part
 * as a whole. In memory are one page, the compressor's window and one piece of the upload.
 * @throws DatabaseError, FilesError; the upload is aborted then
 */
export async function writePart(
  source: PartSource,
  { lines, upload, isFull }: { lines: EventLines; upload: FileUpload; isFull: (bytes: number) => boolean },
): Promise<WrittenPart> {
  const hash = createHash("sha256");
  const part: WrittenPart = { rows: 0, scanned: 0, bytes: 0, sha256: "", horizon: source.horizon, next: source.after };

  async function* pages(): AsyncGenerator<string> {
    do {
      const page = await source.read(part.horizon, part.next);
      part.horizon = page.horizon;
      part.next = page.next;
      part.scanned += page.scanned;
      if (page.events.length === 0) continue;
      if (part.rows === 0) yield lines.head;
      part.rows += page.events.length;
      yield page.events.map(lines.line).join("");
    } while (part.next !== undefined && !isFull(part.bytes));
  }

  async function send(compressed: AsyncIterable<Buffer>): Promise<void> {
    for await (const bytes of compressed) {
      hash.update(bytes);
      part.bytes += bytes.length;
      await upload.write(bytes);
    }
  }

  try {
    await pipeline(pages, createGzip(), send);
    // The end of an empty file would be a part without rows.
    if (part.rows === 0) await upload.abort();
    else await upload.complete();
  } catch (error) {
    await upload.abort();
    throw error;
  }
  return { ...part, bytes: part.rows === 0 ? 0 : part.bytes, sha256: hash.digest("hex") };
}
