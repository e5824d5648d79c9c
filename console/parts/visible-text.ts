/** A piece of a text: characters to show, or the code of one that cannot be seen or that reverses its neighbours. */
export type Piece = string | { code: string };

/**
 * Control characters, and those of Unicode that change the direction of text or have no width. Shown as they are they would
 * let an event look like another one.
 * @see https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
 */
const HIDDEN =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\uFFF9-\uFFFB]/u;
const SPLIT = new RegExp(`(${HIDDEN.source})`, "u");

/** Splits a text where it has characters that are to be marked. */
export function visiblePieces(text: string): readonly Piece[] {
  if (!HIDDEN.test(text)) return [text];
  return text
    .split(SPLIT)
    .filter((piece) => piece !== "")
    .map((piece) => (HIDDEN.test(piece) ? { code: codeOf(piece) } : piece));
}

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The beginning of a text, without half of a surrogate pair at its end. */
export function beginning(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const last = text.charCodeAt(characters - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? characters - 1 : characters);
}
