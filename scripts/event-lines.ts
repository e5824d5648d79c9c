import { readFileSync } from "node:fs";
import { v7 as newId } from "uuid";
import { REQUEST_MAX_BYTES } from "../functions/core/limits.ts";

/** One event of a file: its line number, counted from 1, and its JSON text. */
export type EventLine = { line: number; json: string };

/**
 * Reads a file of newline-delimited JSON (`-` is stdin). The text is sent verbatim, so no digit changes. An event without
 * an id gets one here, so that sending it again after a lost answer does not store it twice.
 * @throws Error that names the line that is not a JSON object
 */
export function readEventLines(file: string): EventLine[] {
  const text = readFileSync(file === "-" ? 0 : file, "utf8");
  return text
    .split("\n")
    .map((json, index) => ({ line: index + 1, json: json.trim() }))
    .filter(({ json }) => json !== "")
    .map(({ line, json }) => ({ line, json: withId(json, line, file) }));
}

function withId(json: string, line: number, file: string): string {
  let event: unknown;
  try {
    event = JSON.parse(json);
  } catch (cause) {
    throw new Error(`${file}:${line} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    throw new Error(`${file}:${line} is not a JSON object. Write one event a line.`);
  }
  if ("id" in event) return json;
  const rest = json.slice(1);
  return `{"id":"${newId()}"${rest.trim() === "}" ? "" : ","}${rest}`;
}

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
