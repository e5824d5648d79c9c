import { readLines } from "../../cli/read-lines.ts";
import { REQUEST_MAX_BYTES } from "../../functions/core/limits.ts";
import { isJsonObject, parseLossless } from "../../functions/core/lossless-json.ts";
import { DEAD_LETTER_ID } from "../../functions/core/replay-job.ts";
import { DEAD_LETTER_MEMBER } from "./event-line.ts";

/** A corrected event, as `POST /replays` takes it. */
export type Edit = { id: string; event: Record<string, unknown> };

/** Corrected events of one replay, and their bytes as a replay keeps them, in JSON in JSON; both below the bounds of the API. */
const PART_MAX_EDITS = 500;
const PART_MAX_BYTES = 2_500_000;

/**
 * Reads a file of corrected events, as `dead-letters export` writes it, in parts that a replay takes.
 * @throws Error that names each line that is not one, or the missing file
 */
export async function readEdits(file: string): Promise<Edit[][]> {
  const parts: { edits: Edit[]; bytes: number }[] = [];
  const bad: string[] = [];
  for await (const each of readLines(file, REQUEST_MAX_BYTES)) {
    const edit = "text" in each ? parseLine(each.text) : each.why;
    if (typeof edit === "string") {
      bad.push(`${file}:${each.line} ${edit}`);
      continue;
    }
    const bytes = Buffer.byteLength(JSON.stringify(JSON.stringify(JSON.stringify(edit))));
    const last = parts.at(-1);
    if (last !== undefined && last.edits.length < PART_MAX_EDITS && last.bytes + bytes <= PART_MAX_BYTES) {
      last.edits.push(edit);
      last.bytes += bytes;
    } else parts.push({ edits: [edit], bytes });
  }
  if (bad.length > 0) throw new Error([...bad, "Nothing was replayed."].join("\n"));
  if (parts.length === 0) throw new Error(`${file} has no event.`);
  return parts.map(({ edits }) => edits);
}

/** An edit, or what is wrong with its line. */
function parseLine(text: string): Edit | string {
  let line: unknown;
  try {
    line = parseLossless(text).lossless;
  } catch (error) {
    return `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!isJsonObject(line)) return "is not a JSON object; write one event a line";
  const { [DEAD_LETTER_MEMBER]: facts, ...event } = line;
  const id = isJsonObject(facts) ? facts["id"] : undefined;
  if (typeof id === "string" && DEAD_LETTER_ID.test(id)) return { id, event };
  return `has no ${DEAD_LETTER_MEMBER}.id; keep the member ${DEAD_LETTER_MEMBER} that \`dead-letters export\` writes`;
}
