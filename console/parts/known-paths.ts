import { signal } from "@preact/signals";
import { kindOf, partsOf } from "./json-parts.ts";

/** Paths of data that events have which were looked at, as parameters of a filter name them. */
export const knownPaths = signal<readonly string[]>([]);

const [MAX_PATHS, MAX_DEPTH] = [200, 3];

/** Characters of data that are searched for paths while its event opens. */
const MAX_CHARACTERS = 65_536;

/** Learns the paths of the data of an event; those of a large one are not looked for. */
export function learnPaths(data: string): void {
  if (data.length > MAX_CHARACTERS) return;
  const paths = new Set(knownPaths.value);
  walk(data, "data", MAX_DEPTH, paths);
  knownPaths.value = [...paths].slice(0, MAX_PATHS);
}

function walk(json: string, path: string, depth: number, paths: Set<string>): void {
  if (paths.size >= MAX_PATHS) return;
  const kind = kindOf(json);
  if (kind !== "object" && kind !== "array") paths.add(path);
  else if (depth > 0) {
    const parts = partsOf(json).slice(0, kind === "array" ? 1 : MAX_PATHS);
    for (const { key, text } of parts)
      walk(text, kind === "array" ? path : `${path}.${escapeKey(key)}`, depth - 1, paths);
  }
}

/** A key as a part of the path in the name of a parameter (docs/filters.md). */
export function escapeKey(key: string): string {
  return key.replaceAll(/[\\.[\]]/g, String.raw`\$&`);
}
