import { gunzip, gzip } from "node:zlib";
import { ARCHIVE_GZIP_LEVEL, ARCHIVE_PART_MAX_BYTES } from "./archive-limits.ts";
import { ArchiveError, type ArchivePart, sha256Of } from "./archive-manifest.ts";

/**
 * Compresses the lines of a part. The same lines give the same bytes, so a step that is killed and starts over writes what is
 * there already.
 */
export async function packPart(
  name: string,
  text: Uint8Array,
  rows: number,
): Promise<{ part: ArchivePart; bytes: Uint8Array }> {
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    gzip(text, { level: ARCHIVE_GZIP_LEVEL }, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
  const part = {
    name,
    rows,
    bytes: bytes.byteLength,
    sha256: sha256Of(bytes),
    textBytes: text.byteLength,
    textSha256: sha256Of(text),
  };
  return { part, bytes };
}

/**
 * The lines of a part, after its bytes were compared with its manifest: size and SHA-256 as it is and as text, and rows.
 * @param bytes undefined where there is no such file
 * @throws ArchiveError that names the file, before any line is given
 */
export async function unpackPart(key: string, bytes: Uint8Array | undefined, part: ArchivePart): Promise<string[]> {
  if (bytes === undefined) throw new ArchiveError(key, "is missing; its manifest names it");
  const compare = (what: string, found: string | number, wanted: string | number) => {
    if (found !== wanted)
      throw new ArchiveError(key, `was changed: it has ${what} ${found} and its manifest says ${wanted}`);
  };
  compare("the size", bytes.byteLength, part.bytes);
  compare("the SHA-256", sha256Of(bytes), part.sha256);
  const text = await new Promise<Uint8Array>((resolve, reject) => {
    gunzip(bytes, { maxOutputLength: MOST_TEXT_BYTES }, (error, result) => {
      if (error === null) resolve(result);
      else reject(new ArchiveError(key, `is no part: ${error.message}`));
    });
  });
  compare("the size of text", text.byteLength, part.textBytes);
  compare("the SHA-256 of text", sha256Of(text), part.textSha256);
  const lines = new TextDecoder().decode(text).split("\n");
  if (lines.pop() !== "") throw new ArchiveError(key, "is no part: its last line has no end");
  compare("the number of events", lines.length, part.rows);
  return lines;
}

/** A part ends with the page that fills it. */
const MOST_TEXT_BYTES = 2 * ARCHIVE_PART_MAX_BYTES;
