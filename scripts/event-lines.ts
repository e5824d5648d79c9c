import { v7 as newId } from "uuid";
import { JSON_MAX_DEPTH, REQUEST_MAX_BYTES, REQUEST_MAX_VALUES } from "../functions/core/limits.ts";
import { isJsonObject, JsonLimitError, parseLossless } from "../functions/core/lossless-json.ts";
import { readLines } from "./read-lines.ts";

/** One event of a file: its line number, counted from 1, and its JSON text. */
export type EventLine = { line: number; json: string };

/** A line that cannot be sent, and why. */
export type BadLine = { line: number; why: string };

/**
 * Reads a file of newline-delimited JSON (`-` is stdin). The text is sent verbatim, so no digit changes. An event without
 * an id gets one here, so that sending it again after a lost answer does not store it twice. A bad line keeps no other
 * line from being sent.
 */
export async function readEventLines(file: string): Promise<{ lines: EventLine[]; bad: BadLine[] }> {
  const lines: EventLine[] = [];
  const bad: BadLine[] = [];
  for await (const { line, text } of readLines(file)) {
    const read = text === undefined ? { why: "is not valid UTF-8; save the file as UTF-8" } : withId(text);
    if ("why" in read) bad.push({ line, why: read.why });
    else lines.push({ line, json: read.json });
  }
  return { lines, bad };
}

function withId(json: string): { json: string } | { why: string } {
  let event: unknown;
  try {
    event = parseLossless(json, REQUEST_MAX_VALUES).value;
  } catch (error) {
    if (error instanceof JsonLimitError) return { why: LIMITS[error.limit] };
    return { why: `is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (!isJsonObject(event)) return { why: "is not a JSON object; write one event a line" };
  if ("id" in event) return { json };
  const rest = json.slice(1);
  return { json: `{"id":"${newId()}"${rest.trim() === "}" ? "" : ","}${rest}` };
}

/** The faults of a line that no request may have. */
const LIMITS = {
  depth: `is nested deeper than ${JSON_MAX_DEPTH} levels; flatten it`,
  values: `has more than ${REQUEST_MAX_VALUES} values (members and elements), which is the limit of a request`,
};

/** Cuts lines into request bodies of at most `size` events and the API's size limit. */
export function intoRequests(lines: EventLine[], size: number): EventLine[][] {
  const requests: EventLine[][] = [];
  let bytes = 0;
  for (const each of lines) {
    const lineBytes = Buffer.byteLength(each.json) + 1;
    const last = requests.at(-1);
    if (last !== undefined && last.length < size && bytes + lineBytes < REQUEST_MAX_BYTES) {
      last.push(each);
      bytes += lineBytes;
    } else {
      requests.push([each]);
      bytes = lineBytes + 2;
    }
  }
  return requests;
}
