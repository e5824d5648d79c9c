import { readFileSync } from "node:fs";
import { type Edits, parseEdits } from "../../functions/replay/edits.ts";

/** Reads a file of corrected events. @throws Error that names each bad line, or the missing file */
export function readEdits(file: string): Edits {
  return parseEdits(readFileSync(file, "utf8"), file);
}
