/**
 * Wildcards of EventBridge: `*` stands for any text, also none; `\*` and `\\` are the characters themselves.
 */

/** The texts between the stars; undefined for `**` or a backslash before anything else. */
export function parseWildcard(wildcard: string): string[] | undefined {
  if (!/^(?:[^\\*]|\\[\\*]|\*(?!\*))*$/su.test(wildcard)) return undefined;
  const parts = [""];
  for (const [token] of wildcard.matchAll(/\\.|[^]/gsu)) {
    if (token === "*") parts.push("");
    else parts[parts.length - 1] += token.length > 1 && token.startsWith("\\") ? token.slice(1) : token;
  }
  return parts;
}

/** Writes a text so that a wildcard has it literally. */
export function escapeWildcard(text: string): string {
  return text.replace(/[\\*]/g, "\\$&");
}

/** Tells whether a text is the parts, in order and without overlap, with any texts between them. */
export function matchesParts(text: string, parts: readonly string[]): boolean {
  const [first = "", ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** The same as a pattern of SQL's `like`. */
export function toLike(parts: readonly string[]): string {
  return parts.map((part) => part.replace(/[\\%_]/g, "\\$&")).join("%");
}
