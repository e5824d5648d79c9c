/**
 * Escapes control characters. Ids, sources and details are a client's text, which could otherwise move the cursor of a
 * terminal or hide other lines.
 */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Controls, and the marks that reorder text. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;
