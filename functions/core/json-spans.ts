import { endOfString } from "./end-of-string.ts";

/** Positions in the text of valid JSON, so that a part of it can be taken as it is written. */

/** The texts of the elements of an array, as they are written. @param start of the array in valid JSON */
export function elementTexts(json: string, start: number): string[] {
  const texts: string[] = [];
  let at = skipSpace(json, start + 1);
  while (at < json.length && json[at] !== "]") {
    const end = endOfValue(json, at);
    texts.push(json.slice(at, end));
    at = skipSpace(json, end);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
  return texts;
}

/** The members of an object by their names, each value as it is written. @param json valid JSON that is an object */
export function memberTexts(json: string): Map<string, string> {
  return new Map(members(json));
}

/** The first member of a name, as it is written; what is behind it is not read. @param json valid JSON that is an object */
export function memberText(json: string, name: string): string | undefined {
  for (const [each, text] of members(json)) if (each === name) return text;
  return undefined;
}

function* members(json: string): Generator<[name: string, text: string]> {
  let at = skipSpace(json, skipSpace(json, 0) + 1);
  while (at < json.length && json[at] !== "}") {
    const endOfName = endOfString(json, at + 1) + 1;
    const start = skipSpace(json, skipSpace(json, endOfName) + 1);
    const end = endOfValue(json, start);
    yield [JSON.parse(json.slice(at, endOfName)) as string, json.slice(start, end)];
    at = skipSpace(json, end);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
}

/** Returns the end of the value that begins at `start`: the position behind it. */
export function endOfValue(json: string, start: number): number {
  let level = 0;
  for (let at = start; at < json.length; at++) {
    const character = json[at];
    if (character === '"') at = endOfString(json, at + 1);
    else if (character === "{" || character === "[") level += 1;
    else if (character === "}" || character === "]") {
      if (level === 0) return at;
      level -= 1;
    } else if (level > 0 || !ENDS_SCALAR.has(character ?? "")) continue;
    else return at;
    if (level === 0) return at + 1;
  }
  return json.length;
}

const ENDS_SCALAR: ReadonlySet<string> = new Set([",", " ", "\n", "\r", "\t"]);

export function skipSpace(json: string, start: number): number {
  let at = start;
  while (SPACE.has(json[at] ?? "")) at += 1;
  return at;
}

const SPACE: ReadonlySet<string> = new Set([" ", "\n", "\r", "\t"]);
