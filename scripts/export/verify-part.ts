import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { ExportFormat, ExportPart } from "../../functions/core/export-job.ts";
import { createRowCounter } from "./count-rows.ts";

/** Says what is wrong with a file of an export; undefined for one that is whole: size, SHA-256 and rows are compared. */
export async function faultOf(path: string, part: ExportPart, format: ExportFormat): Promise<string | undefined> {
  const hash = createHash("sha256");
  const counter = createRowCounter(format);
  let bytes = 0;
  try {
    await pipeline(
      createReadStream(path),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      },
      createGunzip(),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) counter.add(chunk);
      },
    );
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (bytes !== part.bytes) return `has ${bytes} bytes and not ${part.bytes}`;
  if (hash.digest("hex") !== part.sha256) return "has another SHA-256 than the manifest says";
  if (counter.rows() !== part.rows) return `has ${counter.rows()} events and not ${part.rows}`;
  return undefined;
}
