import { v7 as newId } from "uuid";
import { readLines } from "../../cli/read-lines.ts";
import { JSON_MAX_DEPTH, REQUEST_MAX_BYTES, REQUEST_MAX_VALUES } from "../../functions/core/limits.ts";
import { isJsonObject, JsonLimitError, parseLossless } from "../../functions/core/lossless-json.ts";

/** One event of a file: its line number, counted from 1, and its JSON text. */
export type EventLine = { line: number; json: string };

/** A line that cannot be sent, and why. */
export type BadLine = { line: number; why: string };

/**
 * Reads a file of newline-delimited JSON (`-` is stdin), line by line. The text is sent verbatim, so no digit changes. An
 * event without an id gets one here, so that sending it again after a lost answer does not store it twice. A bad line
 * keeps no other line from being sent.
 * @throws Error about a file that cannot be read
 */
export async function* readEventLines(file: string, signal?: AbortSignal): AsyncGenerator<EventLine | BadLine> {
  for await (const each of readLines(file, REQUEST_MAX_BYTES, signal)) {
    yield "text" in each ? { line: each.line, ...withId(each.text) } : each;
  }
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

/** Cuts lines into request bodies of at most `size` events and the API's size limit, and passes each bad line to `onBad`. */
export async function* intoRequests(
  lines: AsyncIterable<EventLine | BadLine>,
  size: number,
  onBad: (line: BadLine) => void,
): AsyncGenerator<EventLine[]> {
  let request: EventLine[] = [];
  let bytes = BRACKETS;
  for await (const each of lines) {
    if ("why" in each) {
      onBad(each);
      continue;
    }
    const lineBytes = Buffer.byteLength(each.json) + 1;
    if (request.length === size || (request.length > 0 && bytes + lineBytes > REQUEST_MAX_BYTES)) {
      yield request;
      request = [];
      bytes = BRACKETS;
    }
    request.push(each);
    bytes += lineBytes;
  }
  if (request.length > 0) yield request;
}

/** Bytes of the array around the events, less the comma that the last one lacks. */
const BRACKETS = 1;
