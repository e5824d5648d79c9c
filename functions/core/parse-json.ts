import { endOfString } from "./end-of-string.ts";

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
const json = JSON as unknown as {
  parse(text: string, reviver?: Reviver): unknown;
  isRawJSON(value: unknown): boolean;
};

/**
 * `JSON.parse` for every text from outside. V8 12.8 and later takes a key with an escape for another one that ends in a
 * backslash, if the process has met that one at the same place of any object: `{"a":1,"\n":2}` after `{"a":1,"\\":2}` reads
 * as `{"a":1,"\\":2}`. So keys with escapes are parsed under names without one, and get their own names afterwards.
 * @param reviver may not rely on its `key`, which may be such a name
 * @throws SyntaxError as `JSON.parse` does
 * @see https://github.com/nodejs/node/issues/63785
 */
export function parseJson(text: string, reviver?: Reviver): unknown {
  const parsed = json.parse(text, reviver);
  // Hardly an event has a backslash, and hardly one of those has it in a key.
  if (!text.includes("\\")) return parsed;
  const found = escapedKeys(text);
  if (found.length === 0) return parsed;
  const prefix = absentPrefix(text);
  const names = new Map<string, string>();
  let safe = "";
  let copied = 0;
  for (const { start, end } of found) {
    const standIn = `${prefix}${names.size}`;
    names.set(standIn, JSON.parse(text.slice(start, end)) as string);
    safe += `${text.slice(copied, start)}"${standIn}"`;
    copied = end;
  }
  return withNames(json.parse(safe + text.slice(copied), reviver), names);
}

/** The places of the keys, quotes included, that have an escape. The text is JSON, so each backslash is in a string. */
function escapedKeys(text: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let first = text.indexOf("\\"); first !== -1; ) {
    const end = endOfString(text, first + 1) + 1;
    // Before the first escape of a string its quote is the only one.
    if (isKey(text, end)) found.push({ start: text.lastIndexOf('"', first), end });
    first = text.indexOf("\\", end);
  }
  return found;
}

/** Tells whether the string that ends before a place is a key. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (WHITESPACE.has(text.charCodeAt(at))) at += 1;
  return text[at] === ":";
}

/** RFC 8259 section 2. */
const WHITESPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** A beginning that no key of the text has. */
function absentPrefix(text: string): string {
  let prefix = "key-";
  while (text.includes(prefix)) prefix += "-";
  return prefix;
}

/** Makes new objects, so that members keep the order that `JSON.parse` gives them. */
function withNames(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value !== "object" || value === null || json.isRawJSON(value)) return value;
  if (Array.isArray(value)) return value.map((element: unknown) => withNames(element, names));
  const named = {};
  for (const [key, member] of Object.entries(value)) {
    // Assigning to `__proto__` would set the prototype.
    Object.defineProperty(named, names.get(key) ?? key, {
      value: withNames(member, names),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return named;
}
