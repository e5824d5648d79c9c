import { REQUEST_MAX_BYTES } from "../../functions/core/limits.ts";
import { type Edits, parseEdits } from "../../functions/replay/edits.ts";
import { readLines } from "../../cli/read-lines.ts";

/** Reads a file of corrected events. @throws Error that names each bad line, or the missing file */
export async function readEdits(file: string): Promise<Edits> {
  const lines: string[] = [];
  const bad: string[] = [];
  for await (const each of readLines(file, REQUEST_MAX_BYTES)) {
    if ("text" in each) lines[each.line - 1] = each.text;
    else bad.push(`${file}:${each.line} ${each.why}`);
  }
  if (bad.length > 0) throw new Error(bad.join("\n"));
  if (lines.length === 0) throw new Error(`${file} has no event.`);
  return parseEdits(Array.from(lines, (line) => line ?? "").join("\n"), file);
}
