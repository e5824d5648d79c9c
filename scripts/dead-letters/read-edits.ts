import { type Edits, parseEdits } from "../../functions/replay/edits.ts";
import { readLines } from "../read-lines.ts";

/** Reads a file of corrected events. @throws Error that names each bad line, or the missing file */
export async function readEdits(file: string): Promise<Edits> {
  const lines: string[] = [];
  const bad: string[] = [];
  for await (const { line, text } of readLines(file)) {
    if (text === undefined) bad.push(`${file}:${line} is not valid UTF-8; save the file as UTF-8`);
    else lines[line - 1] = text;
  }
  if (bad.length > 0) throw new Error(bad.join("\n"));
  return parseEdits(Array.from(lines, (line) => line ?? "").join("\n"), file);
}
