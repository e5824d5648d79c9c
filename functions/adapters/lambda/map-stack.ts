import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";

/**
 * Writes stack traces with the places in our sources, by the map beside the bundle, which is read with the first trace.
 * Node's own `--enable-source-maps` reads code and map at each start instead: 10 ms of 75 (docs/decisions/0021).
 * lib/bundle.ts puts this file into every bundle.
 * @see https://v8.dev/docs/stack-trace-api#customizing-stack-traces
 */
Error.prepareStackTrace = (error, frames) => [headOf(error), ...frames.map(placeOf)].join("\n    at ");

function headOf(error: Error): string {
  try {
    return String(error);
  } catch {
    // V8 does the same for an error whose own code throws.
    return "<error>";
  }
}

function placeOf(frame: NodeJS.CallSite): string {
  const file = frame.getFileName();
  const line = frame.getLineNumber();
  const column = frame.getColumnNumber();
  const text = (frame as { toString: () => string }).toString();
  if (!file || line === null || column === null) return text;
  const entry = mapOf(file)?.findEntry(line - 1, column - 1);
  if (entry === undefined || !("originalSource" in entry) || entry.originalSource === undefined) return text;
  const source = entry.originalSource.replace(BUILD_FOLDER, "");
  return text.replace(`${file}:${line}:${column}`, `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`);
}

/** The way from the bundle to the project, which says nothing where the bundle runs. */
const BUILD_FOLDER = /^.*?(?=(?:functions|catalog|node_modules)\/)/;

/** Maps by file; undefined for a file without one. */
const maps = new Map<string, SourceMap | undefined>();

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) maps.set(file, readMap(`${file}.map`));
  return maps.get(file);
}

function readMap(path: string): SourceMap | undefined {
  try {
    return existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, "utf8"))) : undefined;
  } catch {
    // A trace without a map is better than none.
    return undefined;
  }
}
