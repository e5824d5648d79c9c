import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { reasonOf } from "../../cli/reason-of.ts";
import type { ExportFormat, ExportPart } from "../../functions/core/export-job.ts";
import { faultOf } from "./verify-part.ts";

const ATTEMPTS = 5;

export type Download = {
  folder: string;
  format: ExportFormat;
  /** The address of a file; they live for minutes, so each attempt asks again. */
  urlOf: (name: string) => Promise<string>;
  signal: AbortSignal;
};

/**
 * Downloads a file of an export into a folder and compares it with the manifest. A file that is there and whole is kept. What
 * an earlier attempt has left goes on where it ended. The file has its name only when it is whole.
 * @returns whether it is there; false only after the signal
 * @throws Error that says what is wrong with it
 */
export async function download(part: ExportPart, { folder, format, urlOf, signal }: Download): Promise<boolean> {
  const path = join(folder, part.name);
  if ((await sizeOf(path)) === part.bytes && (await faultOf(path, part, format)) === undefined) return true;
  const unfinished = `${path}.unfinished`;
  let fault = "";
  for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
    try {
      await fetchRest(await urlOf(part.name), unfinished, part.bytes, signal);
      fault = (await faultOf(unfinished, part, format)) ?? "";
      if (fault === "") {
        await rename(unfinished, path);
        return true;
      }
      await rm(unfinished, { force: true });
    } catch (error) {
      fault = reasonOf(error);
    }
  }
  if (signal.aborted) return false;
  throw new Error(`${part.name} ${fault}. Run the command again; what is whole is kept.`);
}

/** Fetches what is missing behind the bytes that are there. */
async function fetchRest(url: string, path: string, bytes: number, signal: AbortSignal): Promise<void> {
  const present = (await sizeOf(path)) ?? 0;
  if (present === bytes) return;
  const from = present < bytes ? present : 0;
  const response = await fetch(url, { signal, headers: from === 0 ? {} : { range: `bytes=${from}-` } });
  if (response.status !== 200 && response.status !== 206) {
    await response.body?.cancel();
    throw new Error(`could not be downloaded: HTTP ${response.status}`);
  }
  const isRest = response.status === 206;
  const file = createWriteStream(path, { flags: isRest ? "a" : "w", mode: 0o600 });
  if (response.body === null) throw new Error("could not be downloaded: the answer is empty");
  await pipeline(Readable.fromWeb(response.body), file);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
