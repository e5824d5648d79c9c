import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PageFiles } from "../../core/ports.ts";

/** Reads the files of a page, which lie in a folder compressed by gzip, each when it is first asked for. */
export function createPageFiles(folder: string): PageFiles {
  // A name is looked up and never made into a path, so that no name leads out of the folder.
  const paths = new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith(GZIP))
      .map((file) => [file.slice(0, -GZIP.length), join(folder, file)]),
  );
  const read = new Map<string, Uint8Array>();
  return (name) => {
    const path = paths.get(name);
    if (path === undefined) return undefined;
    const bytes = read.get(name) ?? readFileSync(path);
    read.set(name, bytes);
    return bytes;
  };
}

const GZIP = ".gz";
