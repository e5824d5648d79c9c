import { setTimeout as delay } from "node:timers/promises";
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
    const { value, depth, values } = parseLossless(json, REQUEST_MAX_VALUES);
    // The request has an array around it.
    if (depth >= JSON_MAX_DEPTH) return { why: LIMITS.depth };
    if (values >= REQUEST_MAX_VALUES) return { why: LIMITS.values };
    event = value;
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
  depth: `is nested deeper than ${JSON_MAX_DEPTH - 1} levels; flatten it`,
  values: `has more than ${REQUEST_MAX_VALUES - 1} values (members and elements), which is the limit of a request`,
};

/**
 * Cuts lines into request bodies of at most `size` events and the API's size limit, and passes each bad line to `onBad`. A
 * request does not wait longer than a second for lines that come slowly.
 */
export async function* intoRequests(
  lines: AsyncIterable<EventLine | BadLine>,
  size: number,
  onBad: (line: BadLine) => void,
): AsyncGenerator<EventLine[]> {
  const iterator = lines[Symbol.asyncIterator]();
  const read = () => {
    const line = iterator.next();
    // It is awaited below, but may fail while a request is taken.
    line.catch(() => undefined);
    return line;
  };
  let next = read();
  let request: EventLine[] = [];
  let bytes = BRACKETS;
  let waited = new AbortController();
  let isOver: Promise<"over"> | undefined;
  const take = () => {
    const taken = request;
    request = [];
    bytes = BRACKETS;
    isOver = undefined;
    waited.abort();
    waited = new AbortController();
    return taken;
  };
  for (;;) {
    const found = await (isOver === undefined ? next : Promise.race([next, isOver]));
    if (found === "over") {
      yield take();
      continue;
    }
    if (found.done === true) break;
    next = read();
    const each = found.value;
    if ("why" in each) {
      onBad(each);
      continue;
    }
    const lineBytes = Buffer.byteLength(each.json) + 1;
    if (request.length === size || (request.length > 0 && bytes + lineBytes > REQUEST_MAX_BYTES)) yield take();
    isOver ??= delay<"over">(BEGUN_REQUEST_WAITS_MS, "over", { signal: waited.signal }).catch(() => "over");
    request.push(each);
    bytes += lineBytes;
  }
  if (request.length > 0) yield take();
  waited.abort();
}

/** A request that is begun waits this long for more lines: stdin may be a log that goes on slowly. */
const BEGUN_REQUEST_WAITS_MS = 1_000;

/** Bytes of the array around the events, less the comma that the last one lacks. */
const BRACKETS = 1;
